"""Asking the courier where a shipment is."""

from __future__ import annotations

from couriers.contract.adapter import Capability
from couriers.contract.errors import NotFound
from couriers.contract.registry import CourierFactory
from couriers.contract.types import Tracking
from couriers.models import CourierAccount, Shipment


def latest_tracking(account: CourierAccount, shipment: Shipment) -> Tracking:
    """What the account's courier tells of a shipment; where it knows none, what the network does.

    Raises NotFound where neither knows it, and what the courier says.
    """
    adapter = CourierFactory.get_adapter(account)
    try:
        return adapter.track_shipment(shipment.tracking_id)
    except NotFound:
        if not shipment.waybill or not adapter.supports(Capability.TRACK_WAYBILL):
            raise
        return adapter.track_waybill(shipment.waybill)
