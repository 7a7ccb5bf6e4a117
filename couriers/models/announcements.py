"""What is announced of a shipment by the signals of couriers/contract/signals.py, and counted.

The facts are read from rows that the caller has loaded: announcing makes no query.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from prometheus_client import Counter

from couriers.contract import signals
from couriers.contract.registry import CourierFactory
from couriers.contract.signals import ActionOutcome, SettledAs, SettledBy, announce
from couriers.contract.statuses import Status
from couriers.models.shipment import Shipment

BOOKINGS = Counter(
    "shipcrowd_bookings",
    "Bookings that ended, became in doubt, or were settled after that",
    ["courier", "outcome"],
)
# How a change of the status is counted. A booking that had failed, and turns out to be booked, is
# settled as one in doubt is.
_BOOKING_OUTCOMES = {
    (Status.BOOKING, Status.BOOKED): "booked",
    (Status.BOOKING, Status.FAILED): "failed",
    (Status.BOOKING, Status.IN_DOUBT): "in_doubt",
    (Status.IN_DOUBT, Status.BOOKED): "settled_booked",
    (Status.FAILED, Status.BOOKED): "settled_booked",
    (Status.IN_DOUBT, Status.FAILED): "settled_released",
}
# The columns of a shipment that the facts are read from.
FACTS = ("id", "company_id", "courier_id", "direction", "order_number", "tracking_id")


def declare_bookings() -> None:
    """Have the counter of bookings shown with 0 for each courier before its first booking."""
    for courier in CourierFactory.codes():
        for outcome in _BOOKING_OUTCOMES.values():
            BOOKINGS.labels(courier, outcome)


def status_changed(shipment: Shipment, previous: str, status: str) -> None:
    """Announce that the status changed. Call in the transaction that writes it."""
    if previous == status:
        return
    if outcome := _BOOKING_OUTCOMES.get((Status(previous), Status(status))):
        # After the commit, so that nothing is counted that was rolled back.
        transaction.on_commit(BOOKINGS.labels(shipment.courier_id, outcome).inc, robust=True)
    announce(
        signals.shipment_status_changed,
        Shipment,
        **_facts_of(shipment),
        status=str(status),
        previous_status=str(previous),
    )


def booking_ended(shipment: Shipment, previous: str, status: str, by: SettledBy) -> None:
    """Announce that a booking ended as booked or failed. Call in the transaction that writes it.

    `previous` is the status before. A booked shipment has its tracking id and waybill already.
    """
    status_changed(shipment, previous, status)
    facts = _facts_of(shipment)
    booked = status == Status.BOOKED
    if booked:
        announce(signals.shipment_booked, Shipment, **facts, waybill=shipment.waybill, by=by.value)
    if previous in (Status.IN_DOUBT, Status.FAILED):
        outcome = SettledAs.BOOKED if booked else SettledAs.NOT_BOOKED
        announce(signals.shipment_settled, Shipment, **facts, outcome=outcome.value, by=by.value)


def action_ended(shipment: Shipment, kind: str, outcome: ActionOutcome, handle: str = "") -> None:
    """Announce that the call of an action has ended. Call after what followed is written."""
    announce(
        signals.shipment_action_ended,
        Shipment,
        **_facts_of(shipment),
        kind=kind,
        outcome=outcome.value,
        handle=handle,
    )


def tracking_id_corrected(shipment: Shipment, wrong_id: str) -> None:
    """Announce that the tracking id was corrected. Call in the transaction that writes it."""
    announce(
        signals.shipment_tracking_id_corrected,
        Shipment,
        **_facts_of(shipment),
        wrong_tracking_id=wrong_id,
    )


def flag_raised(
    shipment: Shipment, flag_id: int, kind: str, tracking_id: str, order_number: str, courier: str
) -> None:
    """Announce a flag. Call in the transaction that writes it."""
    announce(
        signals.shipment_flagged,
        Shipment,
        **_facts_of(shipment),
        flag_id=flag_id,
        kind=str(kind),
        other_tracking_id=tracking_id,
        other_order_number=order_number,
        other_courier=courier,
    )


def _facts_of(shipment: Shipment) -> dict[str, Any]:
    return {
        "shipment_id": shipment.pk,
        "company_id": shipment.company_id,
        "order_number": shipment.order_number,
        "courier": shipment.courier_id,
        "direction": str(shipment.direction),
        "tracking_id": shipment.tracking_id,
    }
