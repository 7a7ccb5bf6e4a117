"""Accepted actions are asked about until they end, or an operator is told to ask the courier."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

import pytest
from django.utils import timezone

from couriers.contract import india
from couriers.contract.actions import ActionResult, ActionState
from couriers.contract.adapter import Capability
from couriers.contract.errors import (
    CircuitOpen,
    CredentialsRefused,
    NotFound,
    Rejected,
    Unknown,
)
from couriers.contract.registry import CourierFactory
from couriers.contract.statuses import Status
from couriers.fulfilment import actions
from couriers.fulfilment.outcomes import due_actions
from couriers.models import Shipment, ShipmentAction
from couriers.tasks import sweep_actions
from tests.support.api import set_status
from tests.support.drafts import raising
from tests.support.factories import ShipmentFactory
from tests.support.flags import open_flags
from tests.support.signals import listening
from tests.support.toy import AbleToyAdapter, ToyReceiver

pytestmark = pytest.mark.django_db(transaction=True)

TOMORROW = india.today() + dt.timedelta(days=1)
ACCEPTED = ActionResult(ActionState.ACCEPTED, handle="UPL1")


class AnsweringAdapter(AbleToyAdapter):
    """The toy courier that can be asked how an accepted action ended."""

    capabilities: ClassVar = AbleToyAdapter.capabilities | {Capability.OUTCOME_OF}

    def outcome_of(self, handle: str) -> ActionResult:
        return self._call("outcome_of", handle, ActionResult(remark="over"))


@pytest.fixture
def answering(able: Any) -> Any:
    CourierFactory.register(AnsweringAdapter, ToyReceiver())
    return AnsweringAdapter


@pytest.fixture
def undelivered(account: Any, able: Any) -> Shipment:
    return ShipmentFactory(
        account=account, warehouse=account.company.warehouses.get(), status="undelivered"
    )


def reattempt(shipment: Shipment, able: Any) -> ShipmentAction:
    able.on_call["request_reattempt"] = lambda _: ACCEPTED
    return actions.request_reattempt(shipment, TOMORROW)


def sweep() -> ShipmentAction:
    """Let the time of the next attempt come, and run the task."""
    ShipmentAction.objects.filter(state="accepted").update(next_attempt_at=timezone.now())
    sweep_actions()
    return ShipmentAction.objects.get()


def test_a_new_acceptance_is_not_asked_about_at_once(undelivered: Shipment, answering: Any) -> None:
    reattempt(undelivered, answering)
    assert sweep_actions() == 0
    assert not due_actions().exists()


def test_an_action_ends_as_the_courier_says(undelivered: Shipment, answering: Any) -> None:
    reattempt(undelivered, answering)
    with listening() as heard:
        row = sweep()
    assert (row.state, row.words) == ("done", "over")
    assert answering.asked[-1] == ("outcome_of", "UPL1")
    assert heard.facts("action_ended", "kind", "outcome", "handle") == [
        ("request_reattempt", "done", "UPL1")
    ]


def test_a_refusal_ends_it_with_the_couriers_words(undelivered: Shipment, answering: Any) -> None:
    reattempt(undelivered, answering)
    answering.on_call["outcome_of"] = raising(
        Rejected("no", courier_message="Package in incorrect status, ring 98450 12345")
    )
    row = sweep()
    assert (row.state, row.outcome) == ("refused", "rejected")
    assert row.words.startswith("Package in incorrect status")
    assert "98450" not in row.words


@pytest.mark.parametrize(
    "hook",
    [
        lambda _: ACCEPTED,
        lambda _: "done",
        raising(NotFound("no such id")),
        raising(CredentialsRefused("wrong key")),
        raising(Unknown("lost")),
        raising(CircuitOpen("held back")),
        raising(KeyError("a fault in the plug-in")),
    ],
)
def test_what_does_not_say_how_it_ended_is_asked_again_later(
    undelivered: Shipment, answering: Any, hook: Any
) -> None:
    reattempt(undelivered, answering)
    answering.on_call["outcome_of"] = hook
    row = sweep()
    assert (row.state, row.asks, row.lease_expires_at) == ("accepted", 1, None)
    wait = (row.next_attempt_at - timezone.now()).total_seconds()
    assert 60 < wait <= 120
    assert sweep().asks == 2


def test_a_delay_that_the_courier_names_is_kept(undelivered: Shipment, answering: Any) -> None:
    reattempt(undelivered, answering)
    answering.on_call["outcome_of"] = raising(CircuitOpen("held back", retry_after=9000))
    wait = (sweep().next_attempt_at - timezone.now()).total_seconds()
    assert 8900 < wait <= 9000


def test_an_accepted_cancellation_that_is_done_gives_the_shipment_its_status(
    undelivered: Shipment, answering: Any
) -> None:
    answering.on_call["cancel_shipment"] = lambda _: ACCEPTED
    answering.on_call["outcome_of"] = lambda _: ActionResult(status=Status.RTO_REQUESTED)
    actions.cancel(undelivered)
    row = sweep()
    undelivered.refresh_from_db()
    assert (row.state, row.status_after, undelivered.status) == (
        "done", "rto_requested", "rto_requested",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("booked", "accepted"),
        ("in_transit", "accepted"),
        ("cancelled", "done"),
        ("rto_in_transit", "done"),
        ("rto_delivered", "done"),
        ("delivered", "refused"),
        ("lost", "refused"),
    ],
)
def test_without_a_handle_the_status_tells_how_a_cancellation_ended(
    account: Any, able: Any, status: str, state: str
) -> None:
    shipment = ShipmentFactory(account=account, warehouse=account.company.warehouses.get())
    able.on_call["cancel_shipment"] = lambda _: ActionResult(ActionState.ACCEPTED)
    actions.cancel(shipment)
    set_status(shipment, status)
    assert sweep().state == state


@pytest.mark.parametrize(
    ("kind", "status", "state"),
    [
        ("reattempt", "undelivered", "accepted"),
        ("reattempt", "in_transit", "accepted"),
        ("reattempt", "out_for_delivery", "done"),
        ("reattempt", "delivered", "done"),
        ("reattempt", "rto_requested", "refused"),
        ("rto", "undelivered", "accepted"),
        ("rto", "rto_in_transit", "done"),
        ("rto", "delivered", "refused"),
    ],
)
def test_without_a_handle_the_status_tells_how_an_attempt_or_an_rto_ended(
    undelivered: Shipment, able: Any, kind: str, status: str, state: str
) -> None:
    able.on_call["request_rto"] = lambda _: ActionResult(ActionState.ACCEPTED)
    if kind == "rto":
        actions.request_rto(undelivered)
    else:
        reattempt(undelivered, able)
    set_status(undelivered, status)
    assert sweep().state == state


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("pickup_scheduled", "accepted"),
        ("out_for_pickup", "done"),
        ("in_transit", "done"),
        ("cancelled", "refused"),
    ],
)
def test_the_status_tells_how_a_pickup_ended(
    account: Any, able: Any, status: str, state: str
) -> None:
    shipment = ShipmentFactory(account=account, warehouse=account.company.warehouses.get())
    able.on_call["schedule_pickup"] = lambda _: ActionResult(ActionState.ACCEPTED)
    actions.set_dispatch_date(shipment, TOMORROW)
    set_status(shipment, status)
    assert sweep().state == state


def test_after_the_limit_an_operator_is_told_to_ask_the_courier(
    undelivered: Shipment, able: Any, settings: Any
) -> None:
    settings.SHIPCROWD = {**settings.SHIPCROWD, "ACTION_LIMIT_DAYS": 2}
    reattempt(undelivered, able)
    today = india.today()
    # Counted from the day that was asked for, which is later.
    asked_at = timezone.now() - dt.timedelta(days=4)
    ShipmentAction.objects.update(day=today - dt.timedelta(days=2), asked_at=asked_at)
    assert sweep().state == "accepted"
    ShipmentAction.objects.update(day=today - dt.timedelta(days=3))
    with listening() as heard:
        row = sweep()
    assert (row.state, open_flags(undelivered)) == ("unknown", [("action_unknown", "")])
    assert heard.facts("action_ended", "outcome") == [("unknown",)]
    assert actions.request_rto(undelivered).state == "done"  # a person may ask again


def test_a_worker_that_died_holds_an_action_no_longer_than_its_lease(
    undelivered: Shipment, answering: Any
) -> None:
    reattempt(undelivered, answering)
    later = timezone.now() + dt.timedelta(minutes=1)
    ShipmentAction.objects.update(lease_expires_at=later)
    assert sweep().state == "accepted"
    ShipmentAction.objects.update(lease_expires_at=timezone.now())
    assert sweep().state == "done"
