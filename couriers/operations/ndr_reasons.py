"""The NDR reasons that shipments have, read by skipping from one to the next in their index."""

from __future__ import annotations

from django.db import connection

from couriers.models import Shipment

MAX_REASONS = 100

_TABLE = Shipment._meta.db_table
_NEXT_REASON = f"""
WITH RECURSIVE reasons (reason) AS (
    (SELECT ndr_reason FROM {_TABLE} WHERE ndr_reason <> '' ORDER BY ndr_reason LIMIT 1)
    UNION ALL
    SELECT (
        SELECT ndr_reason FROM {_TABLE} WHERE ndr_reason <> '' AND ndr_reason > reason
        ORDER BY ndr_reason LIMIT 1
    ) FROM reasons WHERE reason IS NOT NULL
)
SELECT reason FROM reasons WHERE reason IS NOT NULL LIMIT {MAX_REASONS}
"""  # noqa: S608 - the table's own name


def ndr_reasons() -> list[str]:
    """Return the reasons in their order, at most MAX_REASONS: a look into the index for each."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_REASON)
        return [reason for (reason,) in cursor.fetchall()]
