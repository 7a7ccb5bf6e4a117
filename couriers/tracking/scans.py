"""Storing scans, each once. One statement writes or reads a whole batch.

Where two copies of a scan differ, the greater value is kept. The order of their arrival therefore
does not matter.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone

from couriers.models import Scan

_TABLE = Scan._meta.db_table
# What makes a scan the same one: copies of it are merged.
IDENTITY = ("shipment_id", "at", "courier_type", "courier_status", "courier_code", "location")
_identity_of = attrgetter(*IDENTITY)
# The columns of a new scan with their types in PostgreSQL.
_GIVEN = {
    "shipment_id": "text",
    "tracking_id": "text",
    "at": "timestamptz",
    "status": "text",
    "courier_type": "text",
    "courier_status": "text",
    "courier_code": "text",
    "ndr_reason": "text",
    "location": "text",
    "description": "text",
    "estimated_delivery": "timestamptz",
}
# Texts are compared by code point, as Python does, whatever the collation of the database.
_MERGED = {
    name: f'GREATEST(scan.{name} COLLATE "C", excluded.{name} COLLATE "C")'
    for name in ("status", "ndr_reason", "description", "tracking_id")
} | {"estimated_delivery": "GREATEST(scan.estimated_delivery, excluded.estimated_delivery)"}
_INSERT = f"""
INSERT INTO {_TABLE} AS scan
    ({", ".join(_GIVEN)}, ignored, lifted, received_at)
SELECT given.*, false, false, %s
FROM unnest({", ".join(f"%s::{kind}[]" for kind in _GIVEN.values())}) AS given
ON CONFLICT ({", ".join(IDENTITY)}) DO UPDATE
    SET {", ".join(f"{name} = {merged}" for name, merged in _MERGED.items())}
    WHERE ({", ".join(f"scan.{name}" for name in _MERGED)})
        IS DISTINCT FROM ({", ".join(_MERGED.values())})
RETURNING {", ".join(f"scan.{name}" for name in IDENTITY)}, xmax = 0
"""  # noqa: S608 - the table's own name and columns


@dataclass(frozen=True, slots=True)
class NewScan:
    """A scan to be stored. Its texts fit the lengths and characters of the table.

    `has_unknown` is not stored: the plug-in does not know the status or the reason.
    """

    shipment_id: str
    tracking_id: str
    at: dt.datetime
    status: str
    courier_status: str
    courier_type: str = ""
    courier_code: str = ""
    ndr_reason: str = ""
    location: str = ""
    description: str = ""
    estimated_delivery: dt.datetime | None = None
    has_unknown: bool = False


class StoredScan(NamedTuple):
    """A stored scan: the columns that decide the status of its shipment."""

    pk: int
    shipment_id: str
    tracking_id: str
    at: dt.datetime
    status: str
    courier_type: str
    courier_status: str
    courier_code: str
    ndr_reason: str
    location: str
    estimated_delivery: dt.datetime | None
    ignored: bool
    lifted: bool


def store(scans: Iterable[NewScan]) -> list[NewScan]:
    """Store the scans. Returns those that have something unknown and were not stored before."""
    rows = _merge_copies(scans)
    if not rows:
        return []
    columns = [[getattr(row, name) for row in rows.values()] for name in _GIVEN]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [timezone.now(), *columns])
        if not any(row.has_unknown for row in rows.values()):
            return []
        new = [rows[tuple(identity)] for *identity, is_new in cursor.fetchall() if is_new]
    return [row for row in new if row.has_unknown]


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


def _merge_copies(scans: Iterable[NewScan]) -> dict[tuple[Any, ...], NewScan]:
    """Merge the copies of each scan into one, as _INSERT merges a scan with a stored copy.

    Returns the scans by their IDENTITY.
    """
    found: dict[tuple[Any, ...], NewScan] = {}
    for scan in scans:
        key = _identity_of(scan)
        other = found.get(key)
        found[key] = scan if other is None else _merge(scan, other)
    return found


def _merge(one: NewScan, other: NewScan) -> NewScan:
    estimates = [e for e in (one.estimated_delivery, other.estimated_delivery) if e is not None]
    return replace(
        one,
        tracking_id=max(one.tracking_id, other.tracking_id),
        status=max(one.status, other.status),
        ndr_reason=max(one.ndr_reason, other.ndr_reason),
        description=max(one.description, other.description),
        estimated_delivery=max(estimates, default=None),
        has_unknown=one.has_unknown or other.has_unknown,
    )
