"""Operators see what the courier said when it was asked about a booking in doubt."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from couriers.booking.protocol import book
from couriers.contract.errors import Unknown
from couriers.contract.registry import CourierFactory
from couriers.models import DoubtInquiry, Shipment
from couriers.operations.evidence import evidence_of
from tests.support.doubt_toys import Books, PlainToy, SearchToy, UnsureSearchToy
from tests.support.doubts import pass_time, reconcile
from tests.support.drafts import DRAFT
from tests.support.factories import make_staff


@pytest.fixture
def doubtful(account: Any) -> Shipment:
    """A doubt at a courier whose search has no known lag."""
    PlainToy.books = Books()
    CourierFactory.register(UnsureSearchToy)
    PlainToy.books.behaviours = ["request lost"]
    return book(account.company, DRAFT).shipment


def test_absences_without_a_known_lag_suggest_to_look_and_to_release(doubtful: Shipment) -> None:
    assert evidence_of(doubtful).inquiry is None
    for _ in range(2):
        reconcile()
        pass_time(4000)
    evidence = evidence_of(doubtful)
    assert evidence.inquiry
    assert (evidence.inquiry.absences, evidence.inquiry.settles_itself) == (2, False)
    assert "it is not known how late its search can be" in evidence.suggestion


def test_a_courier_that_will_settle_it_suggests_to_wait(doubtful: Shipment) -> None:
    CourierFactory.register(SearchToy)
    reconcile()
    assert evidence_of(doubtful).suggestion.startswith("The courier is asked again")


def test_the_evidence_of_many_doubts_still_costs_two_statements(
    doubtful: Shipment, django_assert_num_queries: Any
) -> None:
    reconcile()
    with django_assert_num_queries(2):
        evidence_of(doubtful)


def test_the_settle_page_shows_the_searches(doubtful: Shipment, client: Client) -> None:
    client.force_login(make_staff("settle_doubt", "view_shipment"))
    url = reverse("admin:shipcrowd_settle_doubt", args=[doubtful.pk.replace("_", "_5F")])
    assert "when it was asked" not in client.get(url).text
    reconcile()
    text = client.get(url).text
    assert "What the courier said when it was asked" in text
    assert "It does not have the booking" in text
    PlainToy.books.search_error = Unknown("HTTP 500", courier_message="try later")
    pass_time(4000)
    reconcile()
    assert "It could not say: HTTP 500: try later" in client.get(url).text


def test_the_api_for_staff_lists_the_searches(doubtful: Shipment, client: Client) -> None:
    client.force_login(make_staff("view_shipment"))
    (listed,) = client.get("/api/v1/ops/in-doubt/").json()
    assert listed["inquiry"] is None
    reconcile()
    (listed,) = client.get("/api/v1/ops/in-doubt/").json()
    assert listed["inquiry"]["last_answer"] == "absent"
    assert (listed["inquiry"]["asked"], listed["inquiry"]["absences"]) == (1, 1)
    assert listed["inquiry"]["last_asked_at"] is not None
    assert DoubtInquiry.objects.get().asked == 1
