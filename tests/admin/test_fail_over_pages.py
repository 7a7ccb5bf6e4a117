"""What staff book or settle in the admin keeps to the rule of the next courier."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from couriers.booking import bulk
from couriers.booking.going_on import go_on_due
from couriers.booking.protocol import book
from couriers.contract.errors import Rejected
from couriers.models import BulkOrder, Company, Shipment
from couriers.operations.trials import book_trial
from tests.support.admin_links import row_url
from tests.support.api import job_orders
from tests.support.doors import client_of, post_job, work
from tests.support.doubts import pass_time
from tests.support.fail_over import AUTO, Asked, asked_in_turn, current, outcomes
from tests.support.orders import ORDER

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def two(company: Company, no_backoff: None) -> Iterator[list[Asked]]:
    """Two couriers that a rule asks in turn, also after a doubt."""
    with asked_in_turn(company, "one", "two", book_after_doubt=True) as asked:
        yield asked


def test_the_trial_of_an_account_is_booked_with_that_account_alone(two: list[Asked]) -> None:
    two[0].books.behaviours = ["refuses"]
    actor = get_user_model().objects.create_user("operator")
    with pytest.raises(Rejected):
        book_trial(two[0].account, actor=actor, confirmation="book a real shipment")
    assert (current().status, current().courier_id, current().choice) == ("failed", "one", None)
    assert not two[1].books.create_calls


def test_a_failed_bulk_order_that_is_retried_goes_to_the_couriers_in_turn_and_is_booked_once(
    company: Company, two: list[Asked], admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in two:
        each.books.behaviours = ["not sent"] * 4  # the call and its repeats
    client = client_of(company)
    url = post_job(client, {"orders": [ORDER | {"courier": "auto"}]})
    with monkeypatch.context() as patch:
        patch.setattr(bulk, "MAX_TRIES", 1)
        work(url)
    failed = BulkOrder.objects.get()
    assert failed.outcome == "failed"
    two[0].books.behaviours = ["refuses"]
    retry = reverse("admin:shipcrowd_row_act", args=["bulk", "retry"])
    for _ in range(2):
        assert admin_client.post(retry, {"rows": [failed.pk]}).status_code == 302
        work(url)
    (told,) = job_orders(client, url)
    assert (told["outcome"], told["courier"]) == ("booked", "two")
    assert outcomes(Shipment.objects.get()) == [
        (1, "one", "not_sent"), (2, "two", "not_sent"), (3, "one", "rejected"),
    ]  # fmt: skip
    assert [len(each.books.parcels) for each in two] == [0, 1]


def test_a_doubt_that_is_settled_as_absent_on_its_page_goes_on_with_the_next_courier(
    company: Company, two: list[Asked], admin_client: Client
) -> None:
    two[0].books.behaviours = ["request lost"]
    shipment = book(company, AUTO).shipment
    pass_time(151)
    answer: dict[str, Any] = {
        "answer": "absent", "absent-reason": "not there", "absent-sure": "on",
    }  # fmt: skip
    for expected in (1, 0):
        assert admin_client.post(row_url(shipment, "doubt"), answer).status_code == 302
        assert go_on_due(5) == expected
    page = admin_client.get(row_url(shipment)).content.decode()
    assert "Booked" in page
    assert (current().status, current().courier_id) == ("booked", "two")
    assert outcomes(current()) == [(1, "one", "unknown")]
    assert [len(each.books.parcels) for each in two] == [0, 1]
