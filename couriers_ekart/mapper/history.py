"""Read the carrying network's own history of a parcel (/data/v1/elite/track/{wbn}). Pure.

The answer is keyed by the waybill and has two shapes, one for large and one for other shipments.
Its statuses are in snake case and its times are India time.
"""

from __future__ import annotations

from typing import Any

from couriers.contract.statuses import STATUS_FACTS
from couriers.contract.types import Scan, Tracking
from couriers_ekart.mapper import schemas
from couriers_ekart.mapper.answers import READER, parse
from couriers_ekart.mapper.statuses import EKART_MAPPER, NETWORK

OPERATION = "raw_track"


def history_from(body: Any, waybill: str) -> Tracking:
    """Return the network's scans. Raises Unknown if the answer has none that can be read.

    A shipment of several parcels (MPS) gets the scans of the parcel that is furthest behind: the
    shipment is delivered when its last parcel is.
    """
    found = body.get(waybill) if isinstance(body, dict) else None
    if not isinstance(found, dict):
        raise READER.unreadable(OPERATION, "waybill")
    parcels = (
        parse(schemas.LargeAnswer, found, OPERATION).shipments
        if "shipments" in found
        else [parse(schemas.NetworkShipment, found, OPERATION)]
    )
    scans_of_parcels = [(parcel, tuple(map(_scan_from, parcel.history))) for parcel in parcels]
    parcel, scans = min(scans_of_parcels, key=lambda pair: _progress(pair[1]))
    return Tracking(
        tracking_id=waybill,
        scans=scans,
        order_number=parcel.order_id,
        estimated_delivery=parcel.expected_delivery_date,
    )


def _progress(scans: tuple[Scan, ...]) -> int:
    """Return how far the parcel has come: the highest progress of its scans, -1 for none."""
    return max(
        (STATUS_FACTS[s.mapped.status].progress for s in scans if s.mapped.status), default=-1
    )


def _scan_from(line: schemas.NetworkScan) -> Scan:
    at = line.event_date_iso8601 or line.event_date
    if at is None:
        raise READER.unreadable(OPERATION, "event_date")
    return Scan(
        mapped=EKART_MAPPER.map(line.status, kind=NETWORK),
        at=at,
        location=line.hub_name or line.city,
        description=line.public_description or line.description,
    )
