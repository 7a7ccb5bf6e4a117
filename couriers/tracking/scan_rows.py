"""From couriers' scans to stored ones, and to the status of their shipments.

Callbacks, polling and cancellations all store scans by `store_and_recount`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import replace

from prometheus_client import Counter

from couriers.contract import types
from couriers.contract.logs import get_logger
from couriers.contract.masking import mask_text
from couriers.contract.registry import CourierFactory
from couriers.models import FlagKind, Shipment
from couriers.models.flag import raise_flag
from couriers.tracking import scans
from couriers.tracking.scans import NewScan
from couriers.tracking.status import latest_possible_time, recount

log = get_logger(__name__)

UNKNOWN_STATUSES = Counter(
    "shipcrowd_unknown_statuses",
    "Scans with a status or a reason that the plug-in does not know",
    ["courier"],
)


def new_scan(
    shipment: Shipment, scan: types.Scan, tracking_id: str, estimate: dt.datetime | None
) -> NewScan:
    """Return the row of a courier's scan: its status in the shipment's direction, masked texts.

    `tracking_id` is the id that it came under.
    """
    mapped = scan.mapped
    mapper = CourierFactory.adapter_class(shipment.courier_id).mapper
    status = mapper.in_direction(mapped, shipment.direction)
    row = NewScan(
        shipment_id=shipment.pk,
        tracking_id=tracking_id,
        at=scan.at,
        status="" if status is None or scan.at > latest_possible_time() else status,
        estimated_delivery=estimate,
        has_unknown=status is None or not mapper.knows_reason(mapped.courier_reason),
        # Masked before it is cut: a cut phone number would not be recognised.
        courier_type=mask_text(mapped.courier_type)[:30],
        courier_status=mask_text(mapped.courier_status)[:100],
        courier_code=mask_text(mapped.courier_code)[:50],
        ndr_reason=mask_text(mapped.courier_reason)[:100],
        location=mask_text(scan.location)[:200],
        description=mask_text(scan.description)[:500],
    )
    return _without_texts(row) if shipment.erased_at is not None else row


def _without_texts(row: NewScan) -> NewScan:
    """Leave the same texts as of a scan that was stored before (operations/erasure.py)."""
    emptied = replace(row, ndr_reason="", location="", description="")
    if not row.status:
        emptied = replace(emptied, courier_type="", courier_status="", courier_code="")
    return emptied


def store_and_recount(shipments: Collection[Shipment], rows: Sequence[NewScan]) -> None:
    """Store each new scan once, then set the status of the shipments from all their scans.

    Call with the rows of the shipments locked.
    """
    if not shipments:
        return
    by_key = {shipment.pk: shipment for shipment in shipments}
    latest = latest_possible_time()
    for row in scans.store([row for row in rows if row.at <= latest]):
        courier = by_key[row.shipment_id].courier_id
        UNKNOWN_STATUSES.labels(courier).inc()
        log.warning(
            "unknown_status",
            courier=courier,
            known_as=row.status,
            type=row.courier_type,
            word=row.courier_status,
            code=row.courier_code,
            reason=row.ndr_reason,
        )
    future_rows = [row for row in rows if row.at > latest]
    scans.store(future_rows)
    for row in future_rows:
        raise_flag(by_key[row.shipment_id], FlagKind.FUTURE_SCANS)
    recount(shipments)
