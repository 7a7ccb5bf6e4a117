"""What a booking over HTTP costs: two commits, and a search of the table before it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from sandbox.process import SandboxProcess
from tests.support.api import post_shipment
from tests.support.factories import CourierAccountFactory, CourierRowFactory
from tests.support.round_trips import count_round_trips


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
