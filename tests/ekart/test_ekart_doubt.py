"""An operator settles a doubt whose courier is Ekart: Ekart is asked about the tracking id."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from couriers.booking.protocol import book
from couriers.contract.errors import InvalidRequest
from couriers.models import AuditEntry, Shipment
from couriers.operations.doubt import resolve
from sandbox.process import SandboxProcess
from tests.support.drafts import draft_with
from tests.support.ekart import adapter_at
from tests.support.factories import make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess("ekart", "--hold") as running:
        yield running


def test_ekart_is_asked_about_the_id_that_an_operator_enters(sandbox: SandboxProcess) -> None:
    company = adapter_at(sandbox.url).account.company  # type: ignore[attr-defined]
    other = book(company, draft_with(courier="ekart", order_number="A-1")).shipment
    sandbox.set_faults(("create_shipment", "reset_after", 1.0))
    doubtful = book(company, draft_with(courier="ekart", order_number="A-2")).shipment
    sandbox.set_faults()
    assert doubtful.status == "in_doubt"
    listed = {one["order_number"]: one["tracking_id"] for one in sandbox.shipments()}
    operator: Any = make_staff("settle_doubt")
    for wrong in ("GARBAGE ID!!", "../cancel", "500?x=1", "%2e%2e"):
        with pytest.raises(InvalidRequest, match="is not known to Ekart"):
            resolve(doubtful.pk, tracking_id=wrong, actor=operator, reason="x")
    Shipment.objects.filter(pk=other.pk).update(tracking_id="T-NOT-OURS")
    with pytest.raises(InvalidRequest, match="belongs to order A-1 at Ekart"):
        resolve(doubtful.pk, tracking_id=listed["A-1"], actor=operator, reason="x")
    settled = resolve(doubtful.pk, tracking_id=listed["A-2"], actor=operator, reason="seen")
    assert settled.status == "booked"
    assert AuditEntry.objects.get().details["courier"] == "confirmed"
