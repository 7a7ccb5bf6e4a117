"""Read the tracking of shipments, from /order-tracking. Pure.

The status is Velocity's own word. An activity's text is the carrier's and may be a bare code, so it
is shown and never mapped: a parcel that came back is `DELIVERED`, too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from couriers.contract.reading import Answer, IndiaTime, OrDefault, Reader, Text, at
from couriers.contract.statuses import TERMINAL
from couriers.contract.types import Scan, Tracking
from couriers_velocity.mapper.statuses import VELOCITY_MAPPER

READER = Reader("velocity")


class Activity(Answer):
    date: OrDefault[IndiaTime | None] = None
    activity: OrDefault[Text] = ""
    location: OrDefault[Text] = ""


class Tracked(Answer):
    status: OrDefault[Text] = at("tracking_data", "shipment_status", default="")
    steps: OrDefault[list[Activity]] = at("tracking_data", "shipment_track_activities", default=[])


class TrackAnswer(Answer):
    result: dict[str, Any] | list[Any]


def trackings_from(body: Any, awbs: Sequence[str], now: dt.datetime) -> Mapping[str, Tracking]:
    """Return the tracking of each shipment that the answer has; `now` is the time of the call."""
    result = READER.parse(TrackAnswer, body, "track").result
    # An empty object is a list with some servers.
    told = {awb: result.get(awb) for awb in awbs} if isinstance(result, dict) else {}
    found = {
        awb: READER.parse(Tracked, one, "track")
        for awb, one in told.items()
        if isinstance(one, dict)
    }
    return {awb: Tracking(awb, _scans(one, now)) for awb, one in found.items() if one.status}


def _scans(tracked: Tracked, now: dt.datetime) -> tuple[Scan, ...]:
    """Return the shipment's status as one scan, at the time of the latest activity.

    An end without a time is of now, because it is not asked about again. Another status without a
    time has no scan: each poll would add one.
    """
    mapped = VELOCITY_MAPPER.map(tracked.status)
    dated = [(one.date, one) for one in tracked.steps if one.date]
    if dated:
        time, latest = max(dated, key=lambda pair: pair[0])
        return (Scan(mapped, time, latest.location, latest.activity),)
    if mapped.status in TERMINAL:
        return (Scan(mapped, now),)
    return ()
