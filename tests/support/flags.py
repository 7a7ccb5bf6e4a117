"""Reading the flags of shipments in tests."""

from __future__ import annotations

from couriers.models import Shipment, ShipmentFlag


def open_flags(shipment: Shipment) -> list[tuple[str, str]]:
    """Kind and tracking id of each open flag of the shipment, the oldest first."""
    found = ShipmentFlag.objects.open().filter(shipment=shipment)
    return list(found.order_by("id").values_list("kind", "tracking_id"))
