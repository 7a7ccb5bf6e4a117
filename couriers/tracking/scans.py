"""Storing scans, each once. One statement writes or reads a whole batch.

Where two copies of a scan differ, the greater value is kept. The order of their arrival therefore
does not matter.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db import connection
from django.utils import timezone

from couriers.models import Scan

_TABLE = Scan._meta.db_table
# Texts are compared by code point, as Python does, whatever the collation of the database.
_MERGED = {
    name: f'GREATEST(scan.{name} COLLATE "C", excluded.{name} COLLATE "C")'
    for name in ("status", "ndr_reason", "description", "tracking_id")
} | {"estimated_delivery": "GREATEST(scan.estimated_delivery, excluded.estimated_delivery)"}
_INSERT = f"""
INSERT INTO {_TABLE} AS scan
    (shipment_id, tracking_id, at, status, courier_status, ndr_reason, location, description,
     estimated_delivery, ignored, lifted, received_at)
SELECT given.*, false, false, %s FROM unnest(
    %s::text[], %s::text[], %s::timestamptz[], %s::text[], %s::text[], %s::text[], %s::text[],
    %s::text[], %s::timestamptz[]) AS given
ON CONFLICT (shipment_id, at, courier_status, location) DO UPDATE
    SET {", ".join(f"{name} = {merged}" for name, merged in _MERGED.items())}
    WHERE ({", ".join(f"scan.{name}" for name in _MERGED)})
        IS DISTINCT FROM ({", ".join(_MERGED.values())})
RETURNING scan.shipment_id, scan.courier_status, scan.status, xmax = 0
"""  # noqa: S608 - the table's own name and columns


@dataclass(frozen=True, slots=True)
class NewScan:
    """A scan to be stored. Its texts fit the lengths and characters of the table."""

    shipment_id: str
    tracking_id: str
    at: dt.datetime
    status: str
    courier_status: str
    ndr_reason: str = ""
    location: str = ""
    description: str = ""
    estimated_delivery: dt.datetime | None = None


class StoredScan(NamedTuple):
    """A stored scan: the columns that decide the status of its shipment."""

    pk: int
    shipment_id: str
    tracking_id: str
    at: dt.datetime
    status: str
    courier_status: str
    ndr_reason: str
    location: str
    estimated_delivery: dt.datetime | None
    ignored: bool
    lifted: bool


def store(scans: Iterable[NewScan]) -> list[tuple[str, str]]:
    """Store the scans. Returns shipment id and courier's word of each new one of unknown status."""
    rows = _merge_copies(scans)
    if not rows:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT,
            [
                timezone.now(),
                [row.shipment_id for row in rows],
                [row.tracking_id for row in rows],
                [row.at for row in rows],
                [row.status for row in rows],
                [row.courier_status for row in rows],
                [row.ndr_reason for row in rows],
                [row.location for row in rows],
                [row.description for row in rows],
                [row.estimated_delivery for row in rows],
            ],
        )
        return [
            (shipment_id, word)
            for shipment_id, word, status, is_new in cursor.fetchall()
            if is_new and not status
        ]


def of_shipments(ids: Sequence[str]) -> dict[str, list[StoredScan]]:
    """All scans of the shipments, by shipment id, in one query."""
    found: dict[str, list[StoredScan]] = defaultdict(list)
    fields = ("pk", *StoredScan._fields[1:])
    rows = Scan.objects.filter(shipment_id__in=ids).order_by().values_list(*fields)
    for row in rows.iterator(chunk_size=5000):
        found[row[1]].append(StoredScan._make(row))
    return found


def mark_ignored(changes: Iterable[tuple[int, bool]]) -> None:
    """Set the column `ignored` of scans, given as pairs of id and value."""
    for ignored in (True, False):
        ids = [pk for pk, value in changes if value is ignored]
        if ids:
            Scan.objects.filter(pk__in=ids).update(ignored=ignored)


def _merge_copies(scans: Iterable[NewScan]) -> list[NewScan]:
    """Merge the copies of each scan into one, as _INSERT merges a scan with a stored copy."""
    found: dict[tuple[str, dt.datetime, str, str], NewScan] = {}
    for scan in scans:
        key = (scan.shipment_id, scan.at, scan.courier_status, scan.location)
        other = found.get(key)
        found[key] = scan if other is None else _merge(scan, other)
    return list(found.values())


def _merge(one: NewScan, other: NewScan) -> NewScan:
    estimates = [e for e in (one.estimated_delivery, other.estimated_delivery) if e is not None]
    return NewScan(
        shipment_id=one.shipment_id,
        tracking_id=max(one.tracking_id, other.tracking_id),
        at=one.at,
        status=max(one.status, other.status),
        courier_status=one.courier_status,
        ndr_reason=max(one.ndr_reason, other.ndr_reason),
        location=one.location,
        description=max(one.description, other.description),
        estimated_delivery=max(estimates, default=None),
    )
