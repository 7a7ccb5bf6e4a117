"""What is announced of a shipment by the signals of couriers/contract/signals.py.

The facts are read from rows that the caller has loaded: announcing makes no query.
"""

from __future__ import annotations

from typing import Any

from couriers.contract import signals
from couriers.contract.signals import ActionOutcome, SettledAs, SettledBy, announce
from couriers.contract.statuses import Status
from couriers.models.shipment import Shipment

# The columns of a shipment that the facts are read from.
FACTS = ("id", "company_id", "courier_id", "direction", "order_number", "tracking_id")


def status_changed(shipment: Shipment, previous: str, status: str) -> None:
    """Announce that the status changed. Call in the transaction that writes it."""
    if previous == status:
        return
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
    shipment: Shipment, flag_id: int, kind: str, tracking_id: str, order_number: str
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
