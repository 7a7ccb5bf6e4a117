"""The network's own history of a parcel (/data/v1/elite/track/{wbn}). Pure.

It comes in two shapes, for non-large and for large shipments, keyed by the waybill; its words are
in snake case and its times are in India.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from couriers.contract import india
from couriers.contract.errors import Unknown
from couriers.contract.statuses import STATUS_FACTS
from couriers.contract.types import Scan, Tracking
from couriers_ekart.mapper import schemas
from couriers_ekart.mapper.answers import moment, read, unreadable
from couriers_ekart.mapper.statuses import EKART_MAPPER, NETWORK

OPERATION = "raw_track"


def history_from(body: Any, waybill: str) -> Tracking:
    """All scans of the network. Raises Unknown for an answer without one that can be read.

    Of several parcels (MPS) it is the one furthest behind that tells: a shipment is delivered
    when its last parcel is.
    """
    found = body.get(waybill) if isinstance(body, dict) else None
    if not isinstance(found, dict):
        raise unreadable(OPERATION, "waybill")
    parcels = (
        read(schemas.LargeAnswer, found, OPERATION).shipments
        if "shipments" in found
        else [read(schemas.NetworkShipment, found, OPERATION)]
    )
    read_parcels = [(parcel, tuple(map(_scan, parcel.history))) for parcel in parcels]
    behind, scans = min(read_parcels, key=lambda one: _progress(one[1]))
    return Tracking(
        tracking_id=waybill,
        scans=scans,
        order_number=behind.order_id[:100],
        estimated_delivery=_time(behind.expected_delivery_date)
        if behind.expected_delivery_date
        else None,
    )


def _progress(scans: tuple[Scan, ...]) -> int:
    return max(
        (STATUS_FACTS[s.mapped.status].progress for s in scans if s.mapped.status), default=-1
    )


def _scan(line: schemas.NetworkScan) -> Scan:
    return Scan(
        mapped=EKART_MAPPER.map(line.status[:100], kind=NETWORK),
        at=_time(line.event_date_iso8601 or line.event_date),
        location=(line.hub_name or line.city)[:200],
        description=(line.public_description or line.description)[:500],
    )


def _time(text: str) -> dt.datetime:
    """A time in ISO 8601; one without a zone is India's. Raises Unknown for anything else."""
    try:
        read_time = dt.datetime.fromisoformat(text)
    except ValueError:
        raise Unknown(
            f"{text[:40]!r} is not a time", courier="ekart", operation=OPERATION
        ) from None
    if read_time.tzinfo is None:
        read_time = read_time.replace(tzinfo=india.IST)
    try:
        return moment(round(read_time.timestamp() * 1000))
    except OverflowError:
        raise Unknown(
            f"{text[:40]!r} is not a time", courier="ekart", operation=OPERATION
        ) from None
