"""Asking the courier where a shipment is."""

from __future__ import annotations

from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.contract.checked_calls import call_adapter
from couriers.contract.errors import NotFound
from couriers.contract.registry import CourierFactory
from couriers.contract.types import Tracking
from couriers.models import CourierAccount, Shipment


def latest_tracking(account: CourierAccount, shipment: Shipment) -> Tracking:
    """The tracking of a shipment from its courier.

    A shipment that the courier's own tracking does not have is asked about by its waybill, where
    the courier offers that. Raises NotFound where neither has it, and the courier's other errors.
    """
    adapter = CourierFactory.get_adapter(account)
    try:
        return _ask(adapter, Capability.TRACK_SHIPMENT, shipment.tracking_id)
    except NotFound:
        if not shipment.waybill or not adapter.supports(Capability.TRACK_WAYBILL):
            raise
        return _ask(adapter, Capability.TRACK_WAYBILL, shipment.waybill)


def _ask(adapter: BaseCourierAdapter, operation: Capability, number: str) -> Tracking:
    tracking: Tracking = call_adapter(adapter, operation, number)
    return tracking
