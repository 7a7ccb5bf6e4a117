"""Who asks too often is told when to ask again; whoever does not is not delayed."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from couriers.models import Shipment
from tests.support.api import SHIPMENTS, post_shipment
from tests.support.factories import CompanyFactory, make_api_key, make_staff

OPS = "/api/v1/ops/in-doubt/"


@pytest.fixture
def limits(settings: Any) -> Any:
    def set_to(**limits: int) -> None:
        settings.SHIPCROWD = settings.SHIPCROWD | limits

    return set_to


def storefront_of(company: Any, address: str = "203.0.113.7") -> Client:
    key = make_api_key(company)
    return Client(headers={"Authorization": f"Bearer {key}"}, REMOTE_ADDR=address)


def statuses(client: Client, count: int, url: str = SHIPMENTS) -> list[int]:
    return [client.get(url).status_code for _ in range(count)]


def assert_throttled(answer: Any, words: str) -> None:
    body = answer.json()
    assert (answer.status_code, body["type"]) == (429, "/problems/throttled")
    assert 1 <= int(answer["Retry-After"]) == body["retry_after"] <= 60
    assert words in body["detail"]


def test_a_key_gets_so_many_requests_a_minute_and_is_told_where_it_stands(
    company: Any, limits: Any
) -> None:
    limits(THROTTLE_KEY=3)
    client = storefront_of(company)
    answers = [client.get(SHIPMENTS) for _ in range(4)]
    assert [a.status_code for a in answers] == [200, 200, 200, 429]
    told = [(a["RateLimit-Limit"], a["RateLimit-Remaining"]) for a in answers]
    assert told == [("3", "2"), ("3", "1"), ("3", "0"), ("3", "0")]
    assert [int(a["RateLimit-Reset"]) for a in answers[:3]] == [20, 40, 60]
    assert_throttled(answers[-1], "3 requests a minute with one API key")
    assert storefront_of(company).get(SHIPMENTS).status_code == 200


def test_all_keys_of_a_company_share_its_quota(company: Any, limits: Any) -> None:
    limits(THROTTLE_COMPANY=3)
    first, second = storefront_of(company), storefront_of(company)
    assert statuses(first, 2) + statuses(second, 1) == [200] * 3
    assert_throttled(second.get(SHIPMENTS), "of one company")
    assert storefront_of(CompanyFactory()).get(SHIPMENTS).status_code == 200


def test_an_address_has_a_quota_whoever_asks_from_it(company: Any, limits: Any) -> None:
    limits(THROTTLE_ADDRESS=3)
    assert statuses(storefront_of(company), 2) == [200, 200]
    assert Client(REMOTE_ADDR="203.0.113.7").get(SHIPMENTS).status_code == 401
    assert_throttled(storefront_of(CompanyFactory()).get(SHIPMENTS), "from one address")
    assert_throttled(Client(REMOTE_ADDR="203.0.113.7").get("/api/schema/"), "from one address")
    assert storefront_of(company, "198.51.100.9").get(SHIPMENTS).status_code == 200


def test_a_throttled_booking_books_nothing_and_costs_one_statement(
    company: Any, account: Any, order: Any, limits: Any, toy: Any, django_assert_num_queries: Any
) -> None:
    limits(THROTTLE_KEY=1)
    client = storefront_of(company)
    client.get(SHIPMENTS)
    with django_assert_num_queries(1):
        assert post_shipment(client, order).status_code == 429
    assert toy.booked == []


@pytest.mark.parametrize("header", ["Bearer {prefix}.guessed", "Api-Key nobody.guessed"])
def test_wrong_keys_are_limited_by_address_and_a_right_one_is_still_taken(
    company: Any, limits: Any, header: str
) -> None:
    limits(THROTTLE_WRONG_KEYS=2)
    right = storefront_of(company)
    wrong = header.format(prefix=company.api_keys.first().prefix)
    guesser = Client(headers={"Authorization": wrong}, REMOTE_ADDR="203.0.113.7")
    assert statuses(guesser, 9) == [401] * 7 + [429] * 2
    assert_throttled(guesser.get(SHIPMENTS), "2 wrong keys a minute")
    assert_throttled(guesser.get(OPS), "2 wrong keys a minute")
    assert right.get(SHIPMENTS).status_code == 200
    other = Client(headers={"Authorization": wrong}, REMOTE_ADDR="198.51.100.9")
    assert statuses(other, 3) == [401] * 3


def test_a_client_does_not_escape_by_a_header(company: Any, limits: Any) -> None:
    limits(THROTTLE_ADDRESS=1, PROXIES=1)
    client = storefront_of(company)
    seen = [
        client.get(SHIPMENTS, headers={"X-Forwarded-For": f"10.0.0.{n}, 203.0.113.8"}).status_code
        for n in range(3)
    ]
    assert seen == [200, 429, 429]


def test_staff_has_a_quota_for_each_user(db: None, limits: Any) -> None:
    limits(THROTTLE_KEY=2)
    clients = []
    for name in ("one", "two"):
        clients.append(Client())
        clients[-1].force_login(User.objects.create_superuser(name))
    assert statuses(clients[0], 2, OPS) == [200, 200]
    assert_throttled(clients[0].get(OPS), "of one user")
    assert clients[1].get(OPS).status_code == 200


def test_a_refused_user_is_throttled_too(db: None, limits: Any) -> None:
    limits(THROTTLE_KEY=2)
    client = Client()
    client.force_login(make_staff())
    assert statuses(client, 3, OPS) == [403, 403, 429]


def test_zero_is_no_limit_and_tells_nothing(company: Any, limits: Any) -> None:
    limits(THROTTLE_KEY=0, THROTTLE_COMPANY=0, THROTTLE_ADDRESS=0, THROTTLE_WRONG_KEYS=0)
    answer = storefront_of(company).get(SHIPMENTS)
    assert not [name for name in answer.headers if name.startswith("RateLimit")]
    guesser = Client(headers={"Authorization": "Bearer a.b"})
    assert set(statuses(guesser, 20)) == {401}


def test_without_redis_requests_are_answered(company: Any, redis_unavailable: None) -> None:
    assert storefront_of(company).get(SHIPMENTS).status_code == 200
    guesser = Client(headers={"Authorization": "Bearer a.b"})
    assert set(statuses(guesser, 10)) == {401}


def test_probes_are_never_throttled(db: None, limits: Any) -> None:
    limits(THROTTLE_ADDRESS=1, THROTTLE_TRACKING_PAGE=1)
    assert {
        status for path in ("/healthz", "/readyz") for status in statuses(Client(), 5, path)
    } == {200}


def test_the_tracking_page_is_limited_by_address(shipment: Shipment, limits: Any) -> None:
    limits(THROTTLE_TRACKING_PAGE=2)
    page, unknown = f"/track/{shipment.pk}/", "/track/shp_unknown/"
    client = Client(REMOTE_ADDR="203.0.113.7")
    assert [client.get(page).status_code, client.get(unknown).status_code] == [200, 404]
    answer = client.get(page)
    assert answer.status_code == 429
    assert 1 <= int(answer["Retry-After"]) <= 30
    assert b"Please try again in" in answer.content
    assert Client(REMOTE_ADDR="198.51.100.9").get(page).status_code == 200
