"""The signal of an action: how its call ended, after what followed was stored."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.db import transaction

from couriers.contract import india
from couriers.contract.actions import ActionResult, ActionState
from couriers.contract.errors import (
    CircuitOpen,
    CourierError,
    FieldProblem,
    InvalidRequest,
    NotSupported,
    Rejected,
    TooManyRequests,
    Unknown,
)
from couriers.contract.platform_errors import ActionNotAllowed
from couriers.contract.signals import shipment_action_ended
from couriers.fulfilment import actions
from couriers.models import Shipment
from couriers.models.transactions import InsideTransaction
from tests.support.drafts import raising
from tests.support.factories import ShipmentFactory
from tests.support.signals import Heard, failing_receivers, listening

pytestmark = pytest.mark.django_db(transaction=True)

TOMORROW = india.today() + dt.timedelta(days=1)


@pytest.fixture
def heard() -> Iterator[Heard]:
    with listening() as heard:
        yield heard


@pytest.fixture
def undelivered(account: Any, able: Any) -> Shipment:
    return ShipmentFactory(
        account=account, warehouse=account.company.warehouses.get(), status="undelivered"
    )


@pytest.fixture
def booked(account: Any, able: Any) -> Shipment:
    return ShipmentFactory(account=account, warehouse=account.company.warehouses.get())


def ends(heard: Heard) -> list[tuple[Any, ...]]:
    return heard.facts("action_ended", "kind", "outcome", "handle")


def test_a_cancellation_is_announced_with_the_status_that_follows(
    booked: Shipment, heard: Heard
) -> None:
    actions.cancel(booked)
    assert heard.statuses() == [("booked", "cancelled")]
    assert ends(heard) == [("cancel_shipment", "done", "")]
    booked.refresh_from_db()
    actions.cancel(booked)  # it is cancelled already, so no call is made
    assert len(ends(heard)) == 1


def test_a_cancelled_return_is_announced_as_its_own_kind(
    account: Any, able: Any, heard: Heard
) -> None:
    shipment = ShipmentFactory(
        account=account, warehouse=account.company.warehouses.get(), direction="reverse"
    )
    actions.cancel(shipment)
    assert ends(heard) == [("cancel_reverse_shipment", "done", "")]


@pytest.mark.parametrize(
    ("act", "kind"),
    [
        (lambda s: actions.request_reattempt(s, TOMORROW), "request_reattempt"),
        (lambda s: actions.request_rto(s, "refused"), "request_rto"),
        (
            lambda s: actions.change_address(s, TOMORROW, phone="98450 12345"),
            "update_delivery_address",
        ),
    ],
)
def test_each_action_on_an_undelivered_parcel_is_announced(
    undelivered: Shipment, heard: Heard, act: Callable[[Shipment], Any], kind: str
) -> None:
    act(undelivered)
    assert ends(heard) == [(kind, "done", "")]


def test_a_dispatch_date_is_announced(booked: Shipment, heard: Heard) -> None:
    actions.set_dispatch_date(booked, TOMORROW)
    assert ends(heard) == [("schedule_pickup", "done", "")]


def test_an_accepted_action_is_announced_with_its_handle(
    booked: Shipment, able: Any, heard: Heard
) -> None:
    able.on_call["cancel_shipment"] = lambda _: ActionResult(ActionState.ACCEPTED, handle="H-1")
    actions.cancel(booked)
    assert ends(heard) == [("cancel_shipment", "accepted", "H-1")]
    assert heard.statuses() == []


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (CircuitOpen("held back"), "not_sent"),
        (TooManyRequests("slowly"), "not_done"),
        (Rejected("no"), "rejected"),
        (Unknown("lost"), "unknown"),
    ],
)
def test_a_failed_action_is_announced_by_the_class_of_its_error(
    undelivered: Shipment, able: Any, heard: Heard, error: Exception, outcome: str
) -> None:
    able.on_call["request_rto"] = raising(error)
    with pytest.raises(type(error)):
        actions.request_rto(undelivered)
    assert ends(heard) == [("request_rto", outcome, "")]


@pytest.mark.parametrize(
    "error", [InvalidRequest([FieldProblem("remark", "is too long")]), NotSupported("no RTO")]
)
def test_an_action_that_the_plug_in_refuses_before_its_call_is_not_announced(
    undelivered: Shipment, able: Any, heard: Heard, error: CourierError
) -> None:
    able.on_call["request_rto"] = raising(error)
    with pytest.raises(type(error)):
        actions.request_rto(undelivered)
    assert heard == []


def test_an_action_that_is_refused_inside_a_transaction_is_not_announced(
    booked: Shipment, heard: Heard
) -> None:
    with transaction.atomic(), suppress(InsideTransaction):
        actions.cancel(booked)
    assert heard == []


def test_an_action_that_the_status_forbids_is_not_announced(booked: Shipment, heard: Heard) -> None:
    with pytest.raises(ActionNotAllowed):
        actions.request_rto(booked)
    assert heard == []


def test_a_receiver_finds_what_the_action_stored(undelivered: Shipment) -> None:
    found = []

    def receive(shipment_id: str, **_: Any) -> None:
        found.append(Shipment.objects.get(pk=shipment_id).consignee_phone)

    shipment_action_ended.connect(receive)
    try:
        actions.change_address(undelivered, TOMORROW, phone="98450 12345")
    finally:
        shipment_action_ended.disconnect(receive)
    assert found == ["9845012345"]


def test_an_action_stands_whatever_a_receiver_does(booked: Shipment) -> None:
    with failing_receivers(RuntimeError("a fault in the host")):
        actions.cancel(booked)
    booked.refresh_from_db()
    assert booked.status == "cancelled"
