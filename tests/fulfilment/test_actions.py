"""Actions are rows: asked once at a time, safe to repeat, and with an end, whatever happens."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from couriers.contract import india
from couriers.contract.actions import ActionResult, ActionState
from couriers.contract.errors import CircuitOpen, InvalidRequest, Rejected, Unknown
from couriers.contract.platform_errors import ActionOpen, ShipmentErased
from couriers.contract.statuses import Status
from couriers.fulfilment import actions
from couriers.fulfilment.outcomes import expire_requests, settle
from couriers.models import CourierCall, Shipment, ShipmentAction
from couriers.models.asked import Asker
from tests.support.api import set_status
from tests.support.drafts import raising
from tests.support.factories import ShipmentFactory, make_staff
from tests.support.flags import open_flags

pytestmark = pytest.mark.django_db(transaction=True)

TOMORROW = india.today() + dt.timedelta(days=1)
ACCEPTED = ActionResult(ActionState.ACCEPTED, handle="UPL1", remark="queued")


@pytest.fixture
def undelivered(account: Any, able: Any) -> Shipment:
    return ShipmentFactory(
        account=account, warehouse=account.company.warehouses.get(), status="undelivered"
    )


@pytest.fixture
def booked(account: Any, able: Any) -> Shipment:
    return ShipmentFactory(account=account, warehouse=account.company.warehouses.get())


def status_of(shipment: Shipment) -> str:
    return Shipment.objects.values_list("status", flat=True).get(pk=shipment.pk)


def end_leases() -> None:
    ShipmentAction.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))


def dies(_: Any) -> None:
    """The process is killed during the call."""
    raise SystemExit


# The row


def test_a_row_tells_who_asked_what_and_how_it_ended(undelivered: Shipment, able: Any) -> None:
    operator = make_staff()
    made = actions.request_rto(undelivered, "call 98450 12345", by=Asker(user=operator))
    row = ShipmentAction.objects.get()
    assert (row.pk, row.kind, row.state, row.outcome) == (made.pk, "rto", "done", "done")
    assert (row.asked_by, row.key_prefix, row.asker_kind) == (operator, "", "operator")
    assert "98450" not in row.reason
    assert row.asked == {"remark": "call 98450 12345"}
    assert row.asked_at <= row.answered_at <= row.ended_at
    assert able.asked == [("request_rto", (undelivered.tracking_id, "call 98450 12345"))]


def test_the_row_is_committed_before_the_call(undelivered: Shipment, able: Any) -> None:
    seen = []
    able.on_call["request_rto"] = lambda _: seen.append(ShipmentAction.objects.get().state)
    actions.request_rto(undelivered)
    assert seen == ["requested"]


@pytest.mark.parametrize(
    ("error", "state", "outcome"),
    [
        (CircuitOpen("held back"), "refused", "not_sent"),
        (Rejected("no", courier_message="Ring 98450 12345"), "refused", "rejected"),
        (Unknown("lost"), "unknown", "unknown"),
    ],
)
def test_a_failed_call_ends_the_row_by_the_class_of_its_error(
    undelivered: Shipment, able: Any, error: Exception, state: str, outcome: str
) -> None:
    able.on_call["request_rto"] = raising(error)
    with pytest.raises(type(error)):
        actions.request_rto(undelivered)
    row = ShipmentAction.objects.get()
    assert (row.state, row.outcome) == (state, outcome)
    assert "98450" not in row.words
    able.on_call.clear()
    assert actions.request_rto(undelivered).state == "done"  # a person may ask again


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        (lambda _: "OK", "the plug-in toy gave a wrong answer: it is str, not ActionResult"),
        (raising(RuntimeError("a fault in the plug-in")), "a fault of the platform"),
    ],
)
def test_a_fault_of_the_plug_in_is_unknown_and_names_it(
    undelivered: Shipment, able: Any, lie: Any, words: str
) -> None:
    able.on_call["request_rto"] = lie
    with pytest.raises(Unknown, match=words):
        actions.request_rto(undelivered)
    assert ShipmentAction.objects.get().state == "unknown"
    assert CourierCall.objects.get().outcome == "unknown"


@pytest.mark.parametrize("given", [{"day": india.today()}, {"day": None}])
def test_what_the_rule_does_not_take_leaves_no_row(
    undelivered: Shipment, able: Any, given: dict[str, Any]
) -> None:
    with pytest.raises(InvalidRequest, match="date"):
        actions.request_reattempt(undelivered, **given)
    assert (ShipmentAction.objects.count(), able.asked) == (0, [])


# One at a time


def test_the_same_request_is_answered_with_the_open_action(
    undelivered: Shipment, able: Any
) -> None:
    able.on_call["request_reattempt"] = lambda _: ACCEPTED
    first = actions.request_reattempt(undelivered, TOMORROW, "Ring")
    assert actions.request_reattempt(undelivered, TOMORROW, "Ring").pk == first.pk
    assert (first.state, first.handle, len(able.asked)) == ("accepted", "UPL1", 1)


@pytest.mark.parametrize(
    "other",
    [
        lambda s: actions.request_reattempt(s, TOMORROW, "Knock"),
        lambda s: actions.request_reattempt(s, TOMORROW + dt.timedelta(days=1), "Ring"),
        actions.request_rto,
        actions.cancel,
    ],
)
def test_another_request_is_refused_and_names_the_open_action(
    undelivered: Shipment, able: Any, other: Any
) -> None:
    able.on_call["request_reattempt"] = lambda _: ACCEPTED
    first = actions.request_reattempt(undelivered, TOMORROW, "Ring")
    with pytest.raises(ActionOpen) as refusal:
        other(undelivered)
    assert refusal.value.facts == {"shipment": undelivered.pk, "action": first.pk}
    assert len(able.asked) == 1


def test_two_requests_at_once_make_one_call(undelivered: Shipment, able: Any) -> None:
    inside, answered = threading.Event(), threading.Event()

    def slow(_: Any) -> None:
        inside.set()
        answered.wait(10)

    able.on_call["request_rto"] = slow
    made: list[ShipmentAction] = []

    def ask() -> None:
        made.append(actions.request_rto(undelivered))
        connection.close()

    thread = threading.Thread(target=ask)
    thread.start()
    assert inside.wait(10)
    second = actions.request_rto(undelivered)
    answered.set()
    thread.join(10)
    assert (second.pk, second.state) == (made[0].pk, "requested")
    assert (made[0].state, len(able.asked)) == ("done", 1)


def test_an_open_action_that_the_status_ends_gives_way(undelivered: Shipment, able: Any) -> None:
    able.on_call["request_reattempt"] = lambda _: ACCEPTED
    first = actions.request_reattempt(undelivered, TOMORROW)
    at = timezone.now() + dt.timedelta(seconds=1)
    for status in ("out_for_delivery", "undelivered"):
        undelivered.scans.create(at=at, status=status, courier_status=status)
    assert actions.request_rto(undelivered).state == "done"
    first.refresh_from_db()
    assert (first.state, first.outcome) == ("done", "done")


# A process that died


def test_a_process_that_dies_leaves_a_request_that_becomes_unknown(
    undelivered: Shipment, able: Any
) -> None:
    able.on_call["request_rto"] = dies
    with pytest.raises(SystemExit):
        actions.request_rto(undelivered)
    assert expire_requests() == 0
    assert actions.request_rto(undelivered).state == "requested"
    end_leases()
    assert expire_requests() == 1
    row = ShipmentAction.objects.get()
    assert (row.state, row.outcome) == ("unknown", "unknown")
    assert open_flags(undelivered) == [("action_unknown", "")]


def test_an_answer_after_the_lease_still_counts(booked: Shipment, able: Any) -> None:
    def late(_: Any) -> None:
        end_leases()
        assert expire_requests() == 1

    able.on_call["cancel_shipment"] = late
    assert actions.cancel(booked).state == "done"
    assert (status_of(booked), open_flags(booked)) == ("cancelled", [])


def test_a_late_acceptance_does_not_open_a_second_action(undelivered: Shipment, able: Any) -> None:
    able.on_call["request_rto"] = dies
    with pytest.raises(SystemExit):
        actions.request_rto(undelivered)
    end_leases()
    expire_requests()
    lost = ShipmentAction.objects.get()
    able.on_call["request_reattempt"] = lambda _: ACCEPTED
    actions.request_reattempt(undelivered, TOMORROW)
    row = settle(lost, ACCEPTED, asked_about=undelivered)
    assert (row.state, row.handle) == ("unknown", "UPL1")


# What follows a cancellation


def test_a_cancellation_before_pickup_ends_the_shipment(booked: Shipment, able: Any) -> None:
    action = actions.cancel(booked)
    assert (action.state, action.status_after, status_of(booked)) == (
        "done", "cancelled", "cancelled",
    )  # fmt: skip
    assert actions.cancel(booked).pk == action.pk
    assert len(able.asked) == 1


def test_a_cancellation_in_transit_travels_back_and_its_order_is_not_free(
    booked: Shipment, able: Any
) -> None:
    set_status(booked, "in_transit")
    action = actions.cancel(booked)
    assert (action.status_after, status_of(booked)) == ("rto_requested", "rto_requested")
    assert Shipment.objects.live().same_order_as(booked).exists()
    assert actions.cancel(booked).pk == action.pk
    assert len(able.asked) == 1


def test_a_cancellation_without_a_status_frees_no_order_after_the_pickup(
    booked: Shipment, able: Any
) -> None:
    able.on_call["cancel_shipment"] = lambda _: ActionResult()
    set_status(booked, "in_transit")
    action = actions.cancel(booked)
    assert (action.state, action.status_after, status_of(booked)) == ("done", "", "in_transit")
    set_status(booked, "booked")
    actions.cancel(booked)
    assert status_of(booked) == "cancelled"


def test_an_accepted_cancellation_changes_nothing_until_it_ends(
    booked: Shipment, able: Any
) -> None:
    able.on_call["cancel_shipment"] = lambda _: ActionResult(ActionState.ACCEPTED)
    action = actions.cancel(booked)
    assert (action.state, status_of(booked)) == ("accepted", "booked")


def test_a_shipment_that_the_courier_cancelled_is_done_without_a_call(
    booked: Shipment, able: Any
) -> None:
    set_status(booked, "cancelled")
    first, second = actions.cancel(booked), actions.cancel(booked)
    assert (first.pk, first.state, first.words) == (second.pk, "done", "already cancelled")
    assert able.asked == []


def test_an_rto_that_names_its_status_gives_it_to_the_shipment(
    undelivered: Shipment, able: Any
) -> None:
    able.on_call["request_rto"] = lambda _: ActionResult(status=Status.RTO_REQUESTED)
    actions.request_rto(undelivered)
    assert status_of(undelivered) == "rto_requested"


# The consignee's data


def test_a_late_answer_does_not_undo_a_later_change_of_address(
    undelivered: Shipment, able: Any
) -> None:
    able.on_call["update_delivery_address"] = dies
    with pytest.raises(SystemExit):
        actions.change_address(undelivered, TOMORROW, address="1, Old Lane")
    end_leases()
    expire_requests()
    lost = ShipmentAction.objects.get()
    able.on_call.clear()
    actions.change_address(undelivered, TOMORROW, address="2, New Lane")
    settle(lost, ActionResult(), asked_about=undelivered)
    undelivered.refresh_from_db()
    assert undelivered.consignee_address == "2, New Lane"


def test_an_erased_shipment_can_only_be_cancelled(booked: Shipment, able: Any) -> None:
    set_status(booked, "booked", erased_at=timezone.now())
    assert actions.cancel(booked).state == "done"
    with pytest.raises(ShipmentErased):
        actions.set_dispatch_date(booked, TOMORROW)
