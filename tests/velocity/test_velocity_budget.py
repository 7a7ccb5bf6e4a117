"""What a booking over HTTP costs, how long it is waited for, and whose parcel it is then."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from couriers.booking.protocol import book
from couriers.conf import tunables
from couriers_velocity.client import OPERATIONS
from sandbox.process import SandboxProcess
from tests.support.api import post_shipment
from tests.support.factories import CourierAccountFactory, CourierRowFactory
from tests.support.round_trips import count_round_trips
from tests.support.velocity import account_at, adapter_of, draft_for


def test_a_booking_over_http_keeps_to_its_budget(
    storefront: Client, company: Any, order: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SandboxProcess("velocity", "--hold") as sandbox:
        CourierAccountFactory(
            company=company,
            courier=CourierRowFactory(code="velocity", name="Velocity"),
            base_url=sandbox.url,
            login={"api_key": "sandbox"},
        )
        company.warehouses.update(email="gate@shop.example")
        order |= {"courier": "velocity"}
        assert post_shipment(storefront, order).status_code == 201  # registers the warehouse
        trips = count_round_trips(monkeypatch)
        with CaptureQueriesContext(connection) as captured:
            answer = post_shipment(storefront, order | {"order_number": "A-2"})
    assert answer.status_code == 201, answer.content
    assert 1 <= len(trips) <= 3
    counted = [q["sql"] for q in captured if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert sum(q["sql"].startswith("RELEASE") for q in captured) == 2
    # One more than without a search: an earlier attempt that Velocity may have is looked for. And
    # one for the label, which is to be fetched.
    assert len(counted) <= 12, "\n".join(counted)


@pytest.mark.django_db(transaction=True)
def test_the_carrier_that_took_it_is_kept_and_not_the_one_of_the_first_choice() -> None:
    with SandboxProcess("velocity", "--hold") as sandbox:
        company = account_at(sandbox.url).company
        first = book(company, draft_for()).shipment.vendor
        sandbox.set_switches(fall_through_rate=1)
        later = book(company, draft_for()).shipment.vendor
    assert "" not in (first, later)
    assert later != first


@pytest.mark.django_db
def test_a_create_call_is_waited_for_while_three_carriers_are_asked() -> None:
    """Each carrier gets 30 s, so a shorter wait would leave good bookings in doubt."""
    for create in ("create_shipment", "create_return"):
        assert OPERATIONS[create].read_timeout == 120
    adapter = adapter_of(account_at("http://127.0.0.1:9"))
    assert 120 < adapter.max_create_seconds() < tunables().BOOKING_LEASE
