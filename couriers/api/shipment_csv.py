"""A page of shipments as CSV, for `Accept: text/csv`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from typing import Any

from couriers.operations.exports import csv_line

_PLAIN = (
    "id", "order_number", "order_date", "direction", "courier", "service", "status",
    "courier_status", "ndr_reason", "tracking_id", "waybill", "vendor", "payment_mode",
    "cod_amount", "total_amount", "taxable_amount", "tax_amount", "invoice_number", "invoice_date",
    "attempts", "delivered_at", "estimated_delivery", "warehouse", "original", "return_reason",
    "tracking_url", "created_at", "updated_at",
)  # fmt: skip
_CONSIGNEE = ("name", "phone", "email", "address", "landmark", "city", "state", "pincode")
_PARCEL = ("weight_g", "length_cm", "width_cm", "height_cm")


def _columns() -> dict[str, Callable[[Mapping[str, Any]], Any]]:
    def member(outer: str, inner: str) -> Callable[[Mapping[str, Any]], Any]:
        return lambda row: row[outer][inner]

    return {
        **{name: itemgetter(name) for name in _PLAIN},
        **{f"consignee_{name}": member("consignee", name) for name in _CONSIGNEE},
        **{name: member("parcel", name) for name in _PARCEL},
        "items": lambda row: "; ".join(f"{i['quantity']} of {i['name']}" for i in row["items"]),
        "metadata": lambda row: "; ".join(f"{k}={v}" for k, v in row["metadata"].items()),
    }


COLUMNS = _columns()


def shipments_csv(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Return the answers of shipments as lines of CSV (RFC 4180), below a heading, in UTF-8.

    No cell is taken for a formula. What is null is empty.
    """
    lines = [csv_line(COLUMNS)]
    for row in rows:
        values = (read(row) for read in COLUMNS.values())
        lines.append(csv_line("" if value is None else str(value) for value in values))
    return "".join(lines).encode()
