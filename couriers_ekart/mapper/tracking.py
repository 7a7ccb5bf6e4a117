"""Read scans: of Ekart's own tracking, and of the carrying network's history of a parcel. Pure.

The network's history (/data/v1/elite/track/{wbn}) is keyed by the waybill and has two shapes, one
for large and one for other shipments. Its statuses are in snake case and its times India time.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from couriers.contract.reading import (
    Answer,
    Identifier,
    IndiaTime,
    MillisecondsTime,
    OrDefault,
    Reader,
    RequiredText,
    Text,
)
from couriers.contract.statuses import STATUS_FACTS
from couriers.contract.types import Scan, Tracking
from couriers_ekart.mapper.statuses import EKART_MAPPER, NETWORK

READER = Reader("ekart")


class TrackDetail(Answer):
    """One status update."""

    status: RequiredText
    time: MillisecondsTime = Field(alias="ctime")
    description: OrDefault[Text] = Field(default="", alias="desc")
    location: OrDefault[Text] = ""
    ndr_status: OrDefault[Text] = Field(default="", alias="ndrStatus")


class Track(TrackDetail):
    attempts: OrDefault[int | None] = None
    details: list[TrackDetail] = []


class TrackAnswer(Answer):
    """/api/v1/track/{id}; `edd` is the expected time of delivery."""

    track: Track
    id: Text = Field(default="", alias="_id")
    edd: OrDefault[MillisecondsTime | None] = None
    order_number: Text = ""


def tracking_from(body: Any) -> Tracking:
    """Return all scans: the details, or only the latest status if there are no details."""
    answer = READER.parse(TrackAnswer, body, "track")
    details = answer.track.details or [answer.track]
    return Tracking(
        tracking_id=answer.id,
        order_number=answer.order_number,
        scans=tuple(scan_from(detail) for detail in details),
        estimated_delivery=answer.edd,
        attempts=answer.track.attempts,
    )


def scan_from(detail: TrackDetail) -> Scan:
    """Return one status update as a scan."""
    return Scan(
        mapped=EKART_MAPPER.map(detail.status, reason=detail.ndr_status),
        at=detail.time,
        location=detail.location,
        description=detail.description,
    )


class NetworkScan(Answer):
    """One line of the network's own history, with its time in one of two fields."""

    status: Text = ""
    event_date: OrDefault[IndiaTime | None] = None
    event_date_iso8601: OrDefault[IndiaTime | None] = None
    hub_name: Text = ""
    city: Text = ""
    public_description: Text = ""
    description: Text = ""


class NetworkShipment(Answer):
    """A parcel in the network's history: the whole answer for a shipment that is not large."""

    order_id: OrDefault[Identifier] = ""
    expected_delivery_date: OrDefault[IndiaTime | None] = None
    history: list[NetworkScan] = []


class LargeAnswer(Answer):
    """/data/v1/elite/track/{wbn} for a large shipment: one parcel or several."""

    shipments: list[NetworkShipment] = Field(min_length=1)


def history_from(body: Any, waybill: str) -> Tracking:
    """Return the network's scans. Raises Unknown if the answer has none that can be read.

    A shipment of several parcels (MPS) gets the scans of the parcel that is furthest behind: the
    shipment is delivered when its last parcel is.
    """
    found = body.get(waybill) if isinstance(body, dict) else None
    if not isinstance(found, dict):
        raise READER.unreadable("raw_track", "waybill")
    parcels = (
        READER.parse(LargeAnswer, found, "raw_track").shipments
        if "shipments" in found
        else [READER.parse(NetworkShipment, found, "raw_track")]
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


def _scan_from(line: NetworkScan) -> Scan:
    at = line.event_date_iso8601 or line.event_date
    if at is None:
        raise READER.unreadable("raw_track", "event_date")
    return Scan(
        mapped=EKART_MAPPER.map(line.status, kind=NETWORK),
        at=at,
        location=line.hub_name or line.city,
        description=line.public_description or line.description,
    )
