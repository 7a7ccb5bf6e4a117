"""The shipment's tracking columns: those that its scans decide. A batch is written at once.

No encrypted column is read: decrypting a phone number takes longer than applying an event.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection

from couriers.models import Shipment

# The tracking columns with their types in PostgreSQL.
_DECIDED = {
    "status": "text",
    "courier_status": "text",
    "ndr_reason": "text",
    "status_at": "timestamptz",
    "tracked_at": "timestamptz",
    "estimated_delivery": "timestamptz",
    "delivery_attempts": "smallint",
}
# The columns of a shipment that applying events reads.
READ = (
    *_DECIDED, "id", "company_id", "account_id", "courier_id", "direction", "order_number",
    "tracking_id", "former_tracking_ids", "recreated_at", "booked_at", "confirmed_at",
    "updated_at", "erased_at",
)  # fmt: skip
_WRITTEN = {**_DECIDED, "updated_at": "timestamptz"}
_UPDATE = f"""
UPDATE {Shipment._meta.db_table} AS shipment
SET {", ".join(f"{name} = given.{name}" for name in _WRITTEN)}
FROM unnest(%s::text[], {", ".join(f"%s::{kind}[]" for kind in _WRITTEN.values())})
    AS given (id, {", ".join(_WRITTEN)})
WHERE shipment.id = given.id
"""  # noqa: S608 - the table's own name and columns


def tracking_snapshot(shipment: Shipment) -> tuple[Any, ...]:
    """Tracking columns as a tuple, to detect changes."""
    return tuple(getattr(shipment, name) for name in _DECIDED)


def write(shipments: Sequence[Shipment]) -> None:
    """Write the tracking columns of the shipments. Call with their rows locked."""
    if not shipments:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _UPDATE,
            [
                [shipment.pk for shipment in shipments],
                *([getattr(shipment, name) for shipment in shipments] for name in _WRITTEN),
            ],
        )
