"""The API of endpoints: what a company's key may do with its own, and with no other's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from couriers.models import AuditEntry, Company, CompanyApiKey, Event
from tests.support.api import post_json
from tests.support.factories import CompanyFactory, make_api_key, make_staff
from tests.support.outbox import Shop, deliver, make_endpoint, make_events, verified
from tests.support.small_courier import Reply
from webhooks import lists
from webhooks.models import WebhookDelivery, WebhookEndpoint
from webhooks.outbox import endpoints

pytestmark = pytest.mark.django_db
ENDPOINTS = "/api/v1/webhook-endpoints/"


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Shop() as running:
        yield running


@pytest.fixture
def made(storefront: Client, shop: Shop) -> dict[str, Any]:
    """An endpoint as it was answered."""
    answer = post_json(storefront, ENDPOINTS, {"url": shop.hook})
    assert answer.status_code == 201
    return dict(answer.json())


def patch(client: Client, url: str, body: dict[str, Any]) -> Any:
    return client.patch(url, body, content_type="application/json")


def test_an_endpoint_is_created_with_a_secret_that_is_shown_once(
    storefront: Client, made: dict[str, Any], shop: Shop
) -> None:
    assert made["id"].startswith("whe_")
    assert made["secret"].startswith("whsec_")
    assert (made["url"], made["events"], made["enabled"], made["is_test"]) == (
        shop.hook, ["*"], True, False,
    )  # fmt: skip
    url = f"{ENDPOINTS}{made['id']}/"
    shown = storefront.get(url).json()
    assert shown == {name: value for name, value in made.items() if name != "secret"}
    assert storefront.get(ENDPOINTS).json() == {"results": [shown], "next": None}
    assert made["secret"] not in str(list(AuditEntry.objects.values()))


def test_what_happens_reaches_the_endpoint_and_its_log(
    storefront: Client, made: dict[str, Any], shop: Shop, company: Company
) -> None:
    shop.answer = lambda _: Reply(b"thank you, 9876543210")
    [event] = make_events(company, 1)
    deliver()
    [one] = storefront.get(f"{ENDPOINTS}{made['id']}/deliveries/").json()["results"]
    assert (one["event"], one["type"], one["state"]) == (event.pk, "job.finished", "delivered")
    assert (one["status"], one["error"], one["attempts"]) == (200, "", 1)
    assert one["answer"].startswith("thank you, ")
    assert "9876543210" not in one["answer"]
    assert verified(shop.requests[0], made["secret"]).id == event.pk


def test_the_log_is_paged_and_filtered(
    storefront: Client, made: dict[str, Any], company: Company
) -> None:
    first, *_ = make_events(company, 3)
    deliver()
    log = f"{ENDPOINTS}{made['id']}/deliveries/"
    page = storefront.get(f"{log}?page_size=2").json()
    rest = storefront.get(page["next"]).json()
    seen = [one["event"] for one in [*page["results"], *rest["results"]]]
    assert len(set(seen)) == 3
    assert rest["next"] is None
    assert [
        one["event"] for one in storefront.get(f"{log}?event={first.pk}").json()["results"]
    ] == [first.pk]
    assert storefront.get(f"{log}?state=given_up").json()["results"] == []
    assert storefront.get(f"{log}?state=odd").status_code == 400


def test_a_ping_is_sent_and_logged(storefront: Client, made: dict[str, Any], shop: Shop) -> None:
    answer = storefront.post(f"{ENDPOINTS}{made['id']}/test/")
    assert answer.status_code == 202
    deliver()
    sent = verified(shop.requests[0], made["secret"])
    assert (sent.type, sent.id) == ("ping", answer.json()["event"])


def test_a_disabled_endpoint_is_not_pinged(storefront: Client, made: dict[str, Any]) -> None:
    url = f"{ENDPOINTS}{made['id']}/"
    shown = patch(storefront, url, {"enabled": False}).json()
    assert shown["disabled"]["reason"] == "by_hand"
    answer = storefront.post(f"{url}test/")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "enabled"
    assert not Event.objects.exists()


def test_what_the_platform_has_disabled_is_disabled_by_hand_once_its_owner_says_so(
    storefront: Client, made: dict[str, Any]
) -> None:
    since = timezone.now() - dt.timedelta(hours=3)
    WebhookEndpoint.objects.update(enabled=False, disabled_by="failing", disabled_at=since)
    shown = patch(storefront, f"{ENDPOINTS}{made['id']}/", {"enabled": False}).json()
    assert shown["disabled"]["reason"] == "by_hand"
    assert WebhookEndpoint.objects.get().disabled_at == since
    assert not lists.DISABLED.count(make_staff())


def test_an_endpoint_that_is_enabled_again_gets_what_it_missed(
    storefront: Client, made: dict[str, Any], shop: Shop, company: Company
) -> None:
    url = f"{ENDPOINTS}{made['id']}/"
    patch(storefront, url, {"enabled": False})
    [event] = make_events(company, 1)
    deliver()
    assert not shop.requests
    assert patch(storefront, url, {"enabled": True}).json()["disabled"] is None
    deliver()
    assert [one.id for one in shop.sent(made["secret"])] == [event.pk]


def test_an_endpoint_is_changed_and_what_is_left_out_stays(
    storefront: Client, made: dict[str, Any]
) -> None:
    url = f"{ENDPOINTS}{made['id']}/"
    changed = patch(storefront, url, {"events": ["job.finished"], "description": "Shop"}).json()
    assert (changed["events"], changed["description"]) == (["job.finished"], "Shop")
    assert changed["url"] == made["url"]
    assert storefront.get(url).json() == changed
    entry = AuditEntry.objects.get(action="change")
    assert entry.before == {"events": ["*"], "description": ""}
    assert entry.actor_name.startswith("API key ")


def test_a_rotated_secret_and_the_former_one_sign(
    storefront: Client, made: dict[str, Any], shop: Shop, company: Company
) -> None:
    answer = post_json(storefront, f"{ENDPOINTS}{made['id']}/rotate-secret/", {"overlap_hours": 2})
    new = answer.json()
    assert new["secret"] != made["secret"]
    until = dt.datetime.fromisoformat(new["previous_secret_until"])
    assert abs(until - timezone.now() - dt.timedelta(hours=2)) < dt.timedelta(minutes=1)
    make_events(company, 1)
    deliver()
    for secret in (made["secret"], new["secret"]):
        assert verified(shop.requests[0], secret)


def test_without_overlap_the_former_secret_ends_at_once(
    storefront: Client, made: dict[str, Any]
) -> None:
    answer = post_json(storefront, f"{ENDPOINTS}{made['id']}/rotate-secret/", {"overlap_hours": 0})
    assert answer.json()["previous_secret_until"] is None
    assert WebhookEndpoint.objects.get().previous_secret == ""


def test_events_are_sent_again(
    storefront: Client, made: dict[str, Any], shop: Shop, company: Company
) -> None:
    first, second = make_events(company, 2)
    deliver()
    shop.requests.clear()
    url = f"{ENDPOINTS}{made['id']}/resend/"
    answer = post_json(storefront, url, {"event": first.pk})
    assert (answer.status_code, answer.json()["resent"]) == (202, 1)
    since = (timezone.now() - dt.timedelta(hours=1)).isoformat()
    answer = post_json(storefront, url, {"since": since})
    assert answer.json()["resent"] == 2
    deliver()
    assert sorted({one.id for one in shop.sent(made["secret"])}) == sorted([first.pk, second.pk])
    assert WebhookDelivery.objects.count() == 2


def test_a_company_has_a_number_of_endpoints_at_most(
    storefront: Client, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoints, "MAX_ENDPOINTS", 2)
    make_endpoint(CompanyFactory(), "https://shop.example/")
    answers = [
        post_json(storefront, ENDPOINTS, {"url": f"https://shop.example/{n}"}) for n in range(3)
    ]
    assert [answer.status_code for answer in answers] == [201, 201, 400]
    assert "which is the most" in answers[-1].json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": "http://shop.example/"}, "url"),
        ({"url": "https://169.254.169.254/"}, "url"),
        ({"url": "https://10.0.0.1/"}, "url"),
        ({"url": "https://me:secret@shop.example/"}, "url"),  # pragma: allowlist secret
        ({"url": "https://shop.example/" + "x" * 500}, "url"),
        ({"url": "https://shop.example/", "events": []}, "events"),
        ({"url": "https://shop.example/", "events": ["parcel.lost"]}, "events[0]"),
        ({"url": "https://shop.example/", "events": ["ping"]}, "events[0]"),
        ({"url": "https://shop.example/", "events": ["*", "job.finished"]}, "events"),
        ({"url": "https://shop.example/", "events": ["job.finished"] * 2}, "events"),
        ({"url": "https://shop.example/", "secret": "mine"}, "secret"),
        ({"url": "https://shop.example/", "enabled": "maybe"}, "enabled"),
        ({"url": "https://shop.example/", "description": "x" * 201}, "description"),
    ],
)
def test_a_wrong_endpoint_is_refused_by_its_field(
    storefront: Client, body: dict[str, Any], field: str
) -> None:
    answer = post_json(storefront, ENDPOINTS, body)
    assert answer.status_code == 400
    assert [one["field"] for one in answer.json()["errors"]] == [field]
    assert not WebhookEndpoint.objects.exists()


@pytest.mark.parametrize(
    "body", [{}, {"event": "evt_1", "since": "2026-11-29T00:00:00Z"}, {"since": "yesterday"}]
)
def test_a_wrong_request_to_send_again_is_refused(
    storefront: Client, made: dict[str, Any], body: dict[str, Any]
) -> None:
    answer = post_json(storefront, f"{ENDPOINTS}{made['id']}/resend/", body)
    assert answer.status_code == 400


def test_another_companys_endpoint_and_event_are_404(
    storefront: Client, made: dict[str, Any], company: Company
) -> None:
    stranger = CompanyFactory()
    client = Client(headers={"Authorization": f"Api-Key {make_api_key(stranger)}"})
    url = f"{ENDPOINTS}{made['id']}/"
    answers = [
        client.get(url), patch(client, url, {"enabled": False}), client.delete(url),
        client.get(f"{url}deliveries/"), client.post(f"{url}test/"),
        post_json(client, f"{url}rotate-secret/", {}),
        post_json(client, f"{url}resend/", {"since": "2026-11-29T00:00:00Z"}),
    ]  # fmt: skip
    assert {answer.status_code for answer in answers} == {404}
    assert client.get(ENDPOINTS).json()["results"] == []
    [foreign] = make_events(stranger, 1)
    assert post_json(storefront, f"{url}resend/", {"event": foreign.pk}).status_code == 404
    assert WebhookEndpoint.objects.get().enabled


def test_a_key_that_may_only_read_or_book_has_no_endpoints(company: Company) -> None:
    _, key = CompanyApiKey.objects.create_key(name="shop", company=company, scopes=["read", "book"])
    client = Client(headers={"Authorization": f"Api-Key {key}"})
    for answer in (
        client.get(ENDPOINTS),
        post_json(client, ENDPOINTS, {"url": "https://a.example"}),
    ):
        assert answer.status_code == 403
        assert answer.json()["scope"] == "operate"


def test_an_endpoint_is_deleted_with_its_log(
    storefront: Client, made: dict[str, Any], company: Company
) -> None:
    make_events(company, 1)
    deliver()
    url = f"{ENDPOINTS}{made['id']}/"
    assert storefront.delete(url).status_code == 204
    assert storefront.get(url).status_code == 404
    assert not WebhookDelivery.objects.exists()
