"""Maps scans anew whose status the plug-in did not know, once a newer plug-in does."""

from __future__ import annotations

from django.db import transaction

from couriers.contract.registry import CourierFactory
from couriers.models import Scan, Shipment
from couriers.tracking.status import latest_possible_time, recount


def map_again(scan_id: int) -> bool:
    """Give the scan its status, and its shipment what follows; return whether it is known now."""
    shipment_id = Scan.objects.values_list("shipment_id", flat=True).get(pk=scan_id)
    with transaction.atomic():
        shipment = Shipment.objects.select_for_update(of=("self",)).get(pk=shipment_id)
        scan = Scan.objects.get(pk=scan_id)
        mapper = CourierFactory.adapter_class(shipment.courier_id).mapper
        mapped = mapper.map(
            scan.courier_status,
            direction=shipment.direction,
            kind=scan.courier_type,
            code=scan.courier_code,
            reason=scan.ndr_reason,
        )
        status = mapper.in_direction(mapped, shipment.direction)
        if scan.status or status is None or scan.at > latest_possible_time():
            return False
        Scan.objects.filter(pk=scan.pk).update(status=status)
        recount([shipment])
    return True
