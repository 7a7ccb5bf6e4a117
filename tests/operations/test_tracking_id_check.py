"""The courier is asked about a tracking id before an operator's word is taken."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from couriers.booking.protocol import book
from couriers.contract.errors import (
    CircuitOpen,
    CredentialsRefused,
    FieldProblem,
    InvalidRequest,
    Rejected,
    Unknown,
)
from couriers.contract.platform_errors import NotInDoubt, UncheckedTrackingId
from couriers.contract.types import Tracking
from couriers.models import AuditEntry, Shipment
from couriers.models.transactions import InsideTransaction
from couriers.operations.doubt import resolve
from tests.support.drafts import DRAFT, raising
from tests.support.factories import ShipmentFactory, make_staff
from tests.support.tracked_ids import know_ids

GARBAGE = "GARBAGE ID!!"


@pytest.fixture
def operator(db: None) -> Any:
    return make_staff("settle_doubt", "view_shipment")


@pytest.fixture
def doubtful(account: Any, toy: Any) -> Shipment:
    """A booking whose answer was lost."""
    toy.on_create = raising(Unknown("read time-out"))
    return book(account.company, DRAFT, key="first").shipment


def test_an_id_that_the_courier_has_for_this_order_settles_it(
    doubtful: Shipment, operator: Any, toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = know_ids(monkeypatch, toy, {"T-9": "A-1"})
    assert resolve(doubtful.pk, tracking_id="T-9", actor=operator, reason="seen").status == "booked"
    assert asked == ["T-9"]
    details = AuditEntry.objects.get().details
    assert (details["courier"], details["confirmed_unchecked"]) == ("confirmed", False)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "is not known to Toy"),
        (InvalidRequest([FieldProblem("tracking_id", "has no such form")]), "is not known to Toy"),
        ("B-77", "belongs to order B-77 at Toy"),
        (Tracking("T-8", (), order_number="A-1"), "is known to Toy as T-8"),
    ],
)
@pytest.mark.parametrize("confirm", [False, True])
def test_what_the_courier_surely_does_not_have_is_refused_even_if_confirmed(
    doubtful: Shipment, operator: Any, toy: Any, monkeypatch: pytest.MonkeyPatch,
    answer: Any, words: str, confirm: bool,
) -> None:  # fmt: skip
    know_ids(monkeypatch, toy, {} if answer is None else {GARBAGE: answer})
    with pytest.raises(InvalidRequest, match=words):
        resolve(
            doubtful.pk, tracking_id=GARBAGE, actor=operator, reason="x", confirm_unchecked=confirm
        )
    doubtful.refresh_from_db()
    assert (doubtful.status, AuditEntry.objects.count()) == ("in_doubt", 0)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Unknown("read time-out"), "could not say whether it has this id: read time-out"),
        (CircuitOpen("the circuit is open", retry_after=9), "the circuit is open"),
        (CredentialsRefused("the login is wrong"), "the login is wrong"),
        (Rejected("not now"), "not now"),
        (RuntimeError("a bug"), "a fault of the platform"),
        ("", "does not name its order"),
        ("SHOP-A-1", "has this id for order SHOP-A-1"),
        ("a-1", "has this id for order a-1"),
    ],
)
def test_where_the_courier_cannot_say_the_operator_confirms_once_more(
    doubtful: Shipment, operator: Any, toy: Any, monkeypatch: pytest.MonkeyPatch,
    answer: Any, words: str,
) -> None:  # fmt: skip
    know_ids(monkeypatch, toy, {"T-9": answer})
    with pytest.raises(UncheckedTrackingId, match=words):
        resolve(doubtful.pk, tracking_id="T-9", actor=operator, reason="seen")
    assert not AuditEntry.objects.exists()
    resolve(doubtful.pk, tracking_id="T-9", actor=operator, reason="seen", confirm_unchecked=True)
    doubtful.refresh_from_db()
    assert (doubtful.status, doubtful.tracking_id) == ("booked", "T-9")
    details = AuditEntry.objects.get().details
    assert (details["courier"], details["confirmed_unchecked"]) == ("unclear", True)
    assert words in details["courier_said"]


def test_a_courier_without_tracking_cannot_say(
    doubtful: Shipment, operator: Any, toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toy, "capabilities", frozenset())
    with pytest.raises(UncheckedTrackingId, match="Toy cannot be asked"):
        resolve(doubtful.pk, tracking_id="T-9", actor=operator, reason="seen")


def test_another_shipments_id_is_refused_before_any_call(
    doubtful: Shipment, operator: Any, toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = know_ids(monkeypatch, toy, {})
    other = ShipmentFactory(
        account=doubtful.account, warehouse=doubtful.warehouse, former_tracking_ids=["T-OLD"]
    )
    for tracking_id in (other.tracking_id, "T-OLD"):
        with pytest.raises(InvalidRequest, match=f"order {other.order_number}"):
            resolve(doubtful.pk, tracking_id=tracking_id, actor=operator, reason="x")
    assert asked == []


def test_the_courier_is_not_asked_about_a_shipment_that_is_not_in_doubt(
    shipment: Shipment, operator: Any, toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = know_ids(monkeypatch, toy, {})
    with pytest.raises(NotInDoubt):
        resolve(shipment.pk, tracking_id="T-9", actor=operator, reason="x")
    assert asked == []


@pytest.mark.django_db(transaction=True)
def test_the_courier_is_not_asked_inside_a_transaction(
    doubtful: Shipment, operator: Any, toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = know_ids(monkeypatch, toy, {"T-9": "A-1"})
    with pytest.raises(InsideTransaction), transaction.atomic():
        resolve(doubtful.pk, tracking_id="T-9", actor=operator, reason="x")
    assert asked == []


def test_the_api_takes_an_unchecked_id_only_where_it_is_asked_to(
    doubtful: Shipment, operator: Any, toy: Any, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(operator)
    know_ids(monkeypatch, toy, {"T-9": Unknown("read time-out")})
    url = f"/api/v1/ops/in-doubt/{doubtful.pk}/resolve/"

    def post(**body: Any) -> Any:
        return client.post(url, {"reason": "seen"} | body, content_type="application/json")

    refused = post(tracking_id=GARBAGE)
    assert (refused.status_code, refused.json()["errors"]) == (
        400, [{"field": "tracking_id", "message": "is not known to Toy"}],
    )  # fmt: skip
    asked = post(tracking_id="T-9")
    assert (asked.status_code, asked.json()["type"]) == (409, "/problems/unchecked-tracking-id")
    assert "read time-out" in asked.json()["detail"]
    taken = post(tracking_id="T-9", confirm_unchecked=True)
    assert (taken.status_code, taken.json()["tracking_id"]) == (200, "T-9")
