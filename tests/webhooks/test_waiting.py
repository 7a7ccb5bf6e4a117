"""Callbacks that waited for a tracking id are applied once an operator enters it."""

from __future__ import annotations

from typing import Any

import pytest

from couriers.booking.protocol import book
from couriers.contract.errors import Unknown
from couriers.models import Shipment
from couriers.operations.correction import correct_tracking_id
from couriers.operations.doubt import resolve
from tests.support.callbacks import send
from tests.support.drafts import DRAFT, raising
from tests.support.factories import make_staff
from tests.support.tracked_ids import know_ids
from webhooks.models import WebhookEvent
from webhooks.processing import process_batch

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_dispatch")]

WRONG, RIGHT = "T-WRONG", "T-RIGHT"


@pytest.fixture
def operator() -> Any:
    return make_staff("settle_doubt", "view_shipment")


@pytest.fixture
def dispatched(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """One entry for each time that processing was asked for."""
    found: list[bool] = []
    monkeypatch.setattr("webhooks.dispatch.request_processing", lambda: found.append(True))
    return found


@pytest.fixture
def doubtful(account: Any, toy: Any, monkeypatch: pytest.MonkeyPatch) -> Shipment:
    know_ids(monkeypatch, toy, {WRONG: Unknown("read time-out"), RIGHT: "A-1"})
    toy.on_create = raising(Unknown("read time-out"))
    return book(account.company, DRAFT).shipment


@pytest.fixture
def waiting(account: Any, doubtful: Shipment) -> None:
    """Callbacks of the right id, one waiting and one given up, and others that stay as they are."""
    for hour, status in ((1, "picked_up"), (2, "in_transit")):
        send(account, {"id": RIGHT, "status": status, "hour": hour})
    send(account, {"id": "T-OTHER", "status": "lost", "hour": 3})
    process_batch()
    assert set(WebhookEvent.objects.values_list("state", flat=True)) == {"failed"}
    given_up = WebhookEvent.objects.order_by("id")[0]
    WebhookEvent.objects.filter(pk=given_up.pk).update(state="dead", attempts=9)
    send(account, b"no JSON")
    send(account, {"poison": True, "id": RIGHT, "status": "lost", "hour": 9})
    WebhookEvent.objects.filter(state="pending").update(state="dead")


def states() -> list[str]:
    return list(WebhookEvent.objects.order_by("id").values_list("state", flat=True))


def test_they_are_applied_when_a_doubt_is_settled(
    doubtful: Shipment, operator: Any, waiting: None, dispatched: list[bool]
) -> None:
    resolve(doubtful.pk, tracking_id=RIGHT, actor=operator, reason="seen")
    assert states() == ["pending", "pending", "failed", "dead", "dead"]
    assert dispatched == [True]
    process_batch()
    doubtful.refresh_from_db()
    assert (doubtful.status, doubtful.scans.count()) == ("in_transit", 2)


def test_they_are_applied_when_a_tracking_id_is_corrected(
    doubtful: Shipment, operator: Any, waiting: None, dispatched: list[bool]
) -> None:
    resolve(doubtful.pk, tracking_id=WRONG, actor=operator, reason="seen", confirm_unchecked=True)
    assert states() == ["dead", "failed", "failed", "dead", "dead"]
    assert dispatched == []
    correct_tracking_id(doubtful.pk, tracking_id=RIGHT, actor=operator, reason="a typing error")
    assert states() == ["pending", "pending", "failed", "dead", "dead"]
    process_batch()
    doubtful.refresh_from_db()
    assert (doubtful.status, doubtful.tracking_id) == ("in_transit", RIGHT)
