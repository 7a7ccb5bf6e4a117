"""Read the carrying network's own history of a parcel (/data/v1/elite/track/{wbn}). Pure.

The answer is keyed by the waybill and has two shapes, one for large and one for other shipments.
Its statuses are in snake case and its times are India time.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from couriers.contract import india
from couriers.contract.errors import Unknown
from couriers.contract.statuses import STATUS_FACTS
from couriers.contract.types import Scan, Tracking
from couriers_ekart.mapper import schemas
from couriers_ekart.mapper.answers import parse, unreadable_answer, utc_from_milliseconds
from couriers_ekart.mapper.statuses import EKART_MAPPER, NETWORK

OPERATION = "raw_track"


def history_from(body: Any, waybill: str) -> Tracking:
    """Return the network's scans. Raises Unknown if the answer has none that can be read.

    A shipment of several parcels (MPS) gets the scans of the parcel that is furthest behind: the
    shipment is delivered when its last parcel is.
    """
    found = body.get(waybill) if isinstance(body, dict) else None
    if not isinstance(found, dict):
        raise unreadable_answer(OPERATION, "waybill")
    parcels = (
        parse(schemas.LargeAnswer, found, OPERATION).shipments
        if "shipments" in found
        else [parse(schemas.NetworkShipment, found, OPERATION)]
    )
    scans_of_parcels = [(parcel, tuple(map(_scan_from, parcel.history))) for parcel in parcels]
    parcel, scans = min(scans_of_parcels, key=lambda pair: _progress(pair[1]))
    delivery = parcel.expected_delivery_date
    return Tracking(
        tracking_id=waybill,
        scans=scans,
        order_number=parcel.order_id[:100],
        estimated_delivery=_parse_time(delivery) if delivery else None,
    )


def _progress(scans: tuple[Scan, ...]) -> int:
    """Return how far the parcel has come: the highest progress of its scans, -1 for none."""
    return max(
        (STATUS_FACTS[s.mapped.status].progress for s in scans if s.mapped.status), default=-1
    )


def _scan_from(line: schemas.NetworkScan) -> Scan:
    return Scan(
        mapped=EKART_MAPPER.map(line.status, kind=NETWORK),
        at=_parse_time(line.event_date_iso8601 or line.event_date),
        location=line.hub_name or line.city,
        description=line.public_description or line.description,
    )


def _parse_time(text: str) -> dt.datetime:
    """Read a time in ISO 8601; without a zone it is India time. Raises Unknown for other text."""
    try:
        time = dt.datetime.fromisoformat(text)
        if time.tzinfo is None:
            time = time.replace(tzinfo=india.IST)
        milliseconds = round(time.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise Unknown(
            f"{text[:40]!r} is not a time", courier="ekart", operation=OPERATION
        ) from None
    return utc_from_milliseconds(milliseconds)
