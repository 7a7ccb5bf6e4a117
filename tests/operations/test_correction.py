"""Correcting a tracking id that an operator gave to a shipment."""

from __future__ import annotations

import json
from typing import Any

import pytest

from couriers.booking.protocol import book
from couriers.contract.errors import InvalidRequest, Unknown
from couriers.contract.platform_errors import NotCorrectable, UncheckedTrackingId
from couriers.models import AuditEntry, Shipment
from couriers.operations.correction import correct_tracking_id
from couriers.operations.doubt import resolve
from couriers.tracking.events import apply_events, apply_tracking, mark_cancelled
from tests.support.drafts import DRAFT, created_event, raising
from tests.support.factories import ShipmentFactory, make_staff
from tests.support.flags import open_flags
from tests.support.signals import listening
from tests.support.toy import ToyReceiver
from tests.support.tracked_ids import know_ids

pytestmark = pytest.mark.django_db

WRONG, RIGHT = "T-WRONG", "T-RIGHT"


@pytest.fixture
def operator() -> Any:
    return make_staff("settle_doubt", "view_shipment")


@pytest.fixture
def asked(toy: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids that the courier was asked about: it knows the right one, and is silent on others."""
    return know_ids(monkeypatch, toy, {WRONG: Unknown("read time-out"), RIGHT: "A-1"})


@pytest.fixture
def mistaken(account: Any, toy: Any, operator: Any, asked: list[str]) -> Shipment:
    """A doubt that an operator settled with the id of another parcel, which has been delivered."""
    toy.on_create = raising(Unknown("read time-out"))
    shipment = book(account.company, DRAFT, key="first").shipment
    toy.on_create = None
    resolve(
        shipment.pk, tracking_id=WRONG, actor=operator, reason="seen", confirm_unchecked=True,
        waybill="W-WRONG",
    )  # fmt: skip
    apply_scans(account, WRONG, ("in_transit", 1), ("delivered", 5))
    shipment.refresh_from_db()
    assert shipment.status == "delivered"
    return shipment


def apply_scans(account: Any, tracking_id: str, *steps: tuple[str, int]) -> None:
    """Apply scans of a tracking id, given as pairs of status and hour."""
    parse = ToyReceiver().parse
    bodies = [{"id": tracking_id, "status": status, "hour": hour} for status, hour in steps]
    apply_events(account, [parse(body)[0] for body in bodies])


def test_the_right_id_takes_the_place_of_the_wrong_one_and_its_scans(
    mistaken: Shipment, operator: Any, account: Any
) -> None:
    correct_tracking_id(mistaken.pk, tracking_id=RIGHT, actor=operator, reason="a typing error")
    mistaken.refresh_from_db()
    assert (mistaken.tracking_id, mistaken.waybill, mistaken.status) == (RIGHT, "", "booked")
    assert (mistaken.tracked_at, mistaken.courier_status) == (None, "")
    assert mistaken.former_tracking_ids == []
    assert not mistaken.scans.exists()
    entry = AuditEntry.objects.latest("id")
    assert (entry.action, entry.actor, entry.reason) == (
        "correct_tracking_id", operator, "a typing error",
    )  # fmt: skip
    assert (entry.details["wrong"], entry.details["tracking_id"]) == (WRONG, RIGHT)
    assert [scan["status"] for scan in entry.details["scans"]] == ["in_transit", "delivered"]
    assert (entry.details["scans_removed"], entry.details["courier"]) == (2, "confirmed")
    apply_scans(account, WRONG, ("lost", 9))
    apply_scans(account, RIGHT, ("picked_up", 3))
    mistaken.refresh_from_db()
    assert mistaken.status == "picked_up"


def test_scans_of_the_right_id_that_are_stored_decide_the_status(
    mistaken: Shipment, operator: Any
) -> None:
    mistaken.scans.filter(status="in_transit").update(tracking_id=RIGHT)
    assert correct_tracking_id(
        mistaken.pk, tracking_id=RIGHT, actor=operator, reason="x"
    ).status == "in_transit"  # fmt: skip


def test_the_key_of_the_booking_is_answered_with_the_right_id(
    mistaken: Shipment, operator: Any, account: Any
) -> None:
    correct_tracking_id(mistaken.pk, tracking_id=RIGHT, actor=operator, reason="x")
    again = book(account.company, DRAFT, key="first")
    assert (again.replayed, json.loads(again.body)["tracking_id"]) == (True, RIGHT)


def test_the_flags_that_the_wrong_id_raised_are_cleared(
    mistaken: Shipment, operator: Any, account: Any
) -> None:
    apply_events(account, [created_event("A-1", RIGHT), created_event("B-2", WRONG)])
    assert set(open_flags(mistaken)) == {("second_shipment", RIGHT), ("other_order", WRONG)}
    correct_tracking_id(mistaken.pk, tracking_id=RIGHT, actor=operator, reason="x")
    assert open_flags(mistaken) == []
    assert {flag.cleared_by for flag in mistaken.flags.all()} == {operator}


def test_a_correction_is_announced(
    mistaken: Shipment, operator: Any, django_capture_on_commit_callbacks: Any
) -> None:
    with listening() as heard, django_capture_on_commit_callbacks(execute=True):
        correct_tracking_id(mistaken.pk, tracking_id=RIGHT, actor=operator, reason="x")
    assert heard.facts("corrected", "tracking_id", "wrong_tracking_id") == [(RIGHT, WRONG)]
    assert heard.statuses() == [("delivered", "booked")]


def test_the_courier_is_asked_about_the_correction_too(
    mistaken: Shipment, operator: Any, asked: list[str], toy: Any, monkeypatch: Any
) -> None:
    with pytest.raises(InvalidRequest, match="is not known to Toy"):
        correct_tracking_id(mistaken.pk, tracking_id="T-NONE", actor=operator, reason="x")
    know_ids(monkeypatch, toy, {RIGHT: ""})
    with pytest.raises(UncheckedTrackingId):
        correct_tracking_id(mistaken.pk, tracking_id=RIGHT, actor=operator, reason="x")
    correct_tracking_id(
        mistaken.pk, tracking_id=RIGHT, actor=operator, reason="x", confirm_unchecked=True
    )
    assert AuditEntry.objects.latest("id").details["confirmed_unchecked"] is True


def test_a_corrected_id_can_be_corrected_again(
    mistaken: Shipment, operator: Any, toy: Any, monkeypatch: Any
) -> None:
    correct_tracking_id(mistaken.pk, tracking_id=RIGHT, actor=operator, reason="x")
    know_ids(monkeypatch, toy, {"T-3": "A-1"})
    correct_tracking_id(mistaken.pk, tracking_id="T-3", actor=operator, reason="x")
    assert Shipment.objects.get(pk=mistaken.pk).tracking_id == "T-3"


def test_only_an_id_that_an_operator_gave_is_corrected(
    mistaken: Shipment, operator: Any, account: Any, asked: list[str]
) -> None:
    asked.clear()
    theirs = ShipmentFactory(account=account, warehouse=mistaken.warehouse)
    with pytest.raises(NotCorrectable, match="not given by an operator"):
        correct_tracking_id(theirs.pk, tracking_id="T-3", actor=operator, reason="x")
    for tracking_id, reason, words in (
        (WRONG, "x", "is the present one"),
        (theirs.tracking_id, "x", f"order {theirs.order_number}"),
        (RIGHT, " ", "reason"),
        ("", "x", "tracking_id"),
    ):
        with pytest.raises(InvalidRequest, match=words):
            correct_tracking_id(mistaken.pk, tracking_id=tracking_id, actor=operator, reason=reason)
    assert asked == []
    assert AuditEntry.objects.count() == 1


def test_an_order_that_was_booked_again_is_not_corrected_back_to_life(
    mistaken: Shipment, operator: Any, account: Any
) -> None:
    mistaken.scans.filter(status="delivered").delete()
    apply_scans(account, WRONG, ("lost", 6))
    ShipmentFactory(account=account, warehouse=mistaken.warehouse, order_number="A-1")
    with pytest.raises(NotCorrectable, match="another live shipment"):
        correct_tracking_id(mistaken.pk, tracking_id=RIGHT, actor=operator, reason="x")
    mistaken.refresh_from_db()
    assert mistaken.tracking_id == WRONG


def test_an_answer_about_the_wrong_id_that_comes_late_changes_nothing(
    mistaken: Shipment, operator: Any
) -> None:
    stale = Shipment.objects.get(pk=mistaken.pk)
    answer = ToyReceiver().parse({"id": WRONG, "status": "lost", "hour": 9})[0]
    correct_tracking_id(mistaken.pk, tracking_id=RIGHT, actor=operator, reason="x")
    from couriers.contract.types import Tracking

    assert answer.scan is not None
    assert apply_tracking(stale, Tracking(WRONG, (answer.scan,))).status == "booked"
    assert mark_cancelled(stale).status == "booked"
    assert not mistaken.scans.exists()
