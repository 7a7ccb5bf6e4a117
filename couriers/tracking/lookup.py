"""Asking the courier where shipments are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.contract.checked_calls import call_adapter
from couriers.contract.errors import NotFound
from couriers.contract.logs import get_logger
from couriers.contract.registry import CourierFactory
from couriers.contract.types import Tracking
from couriers.models import CourierAccount, Shipment

log = get_logger(__name__)


def latest_tracking(account: CourierAccount, shipment: Shipment) -> Tracking:
    """The tracking of a shipment from its courier.

    A shipment that the courier's own tracking does not have is asked about by its waybill, where
    the courier offers that. Raises NotFound where neither has it, and the courier's other errors.
    """
    adapter = CourierFactory.get_adapter(account)
    try:
        return _ask(adapter, Capability.TRACK_SHIPMENT, shipment.tracking_id)
    except NotFound:
        if not _is_trackable_by_waybill(adapter, shipment):
            raise
        return _ask(adapter, Capability.TRACK_WAYBILL, shipment.waybill)


def _ask(adapter: BaseCourierAdapter, operation: Capability, number: str) -> Tracking:
    tracking: Tracking = call_adapter(adapter, operation, number)
    return tracking


def latest_trackings(account: CourierAccount, shipments: Sequence[Shipment]) -> dict[str, Tracking]:
    """The trackings of at most `track_size` shipments, by shipment id, from one call.

    Those that the courier does not know are missing. What it answers about other ids is ignored.
    Raises the courier's errors.
    """
    adapter = CourierFactory.get_adapter(account)
    asked = {shipment.tracking_id: shipment.pk for shipment in shipments}
    answered: Mapping[str, Tracking] = call_adapter(
        adapter, Capability.TRACK_SHIPMENTS, list(asked)
    )
    found = {
        asked[tracking_id]: tracking
        for tracking_id, tracking in answered.items()
        if tracking_id in asked and tracking.tracking_id == tracking_id
    }
    if ignored := len(answered) - len(found):
        log.warning("trackings_not_asked_for", courier=account.courier_id, count=ignored)
    return found


def waybill_tracking(account: CourierAccount, shipment: Shipment) -> Tracking:
    """The carrying network's tracking of a shipment that the courier's own tracking lacks.

    Raises NotFound where the courier does not offer it or has none, and its other errors.
    """
    adapter = CourierFactory.get_adapter(account)
    if not _is_trackable_by_waybill(adapter, shipment):
        raise NotFound("no such shipment", courier=account.courier_id, operation="track_shipments")
    return _ask(adapter, Capability.TRACK_WAYBILL, shipment.waybill)


def _is_trackable_by_waybill(adapter: BaseCourierAdapter, shipment: Shipment) -> bool:
    return bool(shipment.waybill) and adapter.supports(Capability.TRACK_WAYBILL)
