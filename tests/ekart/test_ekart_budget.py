"""What a booking over HTTP costs: two commits, ten statements, three round trips to Redis."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from sandbox.process import SandboxProcess
from tests.support.api import post_shipment
from tests.support.factories import CourierAccountFactory
from tests.support.round_trips import count_round_trips
from tests.support.sandboxes import sandbox_fixture

sandbox = sandbox_fixture("--hold", scope="module")


def test_a_booking_over_http_keeps_to_its_budget(
    storefront: Client, company: Any, order: Any, sandbox: SandboxProcess,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    CourierAccountFactory(company=company, base_url=sandbox.url)
    order |= {"courier": "ekart"}
    assert post_shipment(storefront, order).status_code == 201  # registers, logs in
    trips = count_round_trips(monkeypatch)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        answer = post_shipment(storefront, order | {"order_number": "A-2"})
    assert answer.status_code == 201
    assert "RateLimit-Remaining" in answer
    assert 1 <= len(trips) <= 3
    counted = [q["sql"] for q in captured if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert len(counted) <= 10
    assert sum(q["sql"].startswith("RELEASE") for q in captured) == 2
