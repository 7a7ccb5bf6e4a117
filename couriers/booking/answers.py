"""Shipments and scans as the API returns them.

A booking's answer is stored with its key, to be replayed. So it holds no data of the consignee.
"""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

from couriers.booking.shipment_actions import actions_allowed
from couriers.models import Scan, Shipment
from couriers.models.addresses import tracking_url


def shipment_data(shipment: Shipment) -> dict[str, Any]:
    """Return the fields of a shipment for the API, without a query.

    Amounts are decimal strings in rupees, times are ISO 8601 in UTC.
    """
    return {
        "id": shipment.pk,
        "courier": shipment.courier_id,
        "order_number": shipment.order_number,
        "order_date": shipment.order_date.isoformat(),
        "direction": str(shipment.direction),
        "original": shipment.original_id,
        "status": str(shipment.status),
        "courier_status": shipment.courier_status,
        "ndr_reason": shipment.ndr_reason,
        "failure": shipment.failure,
        "warnings": warnings_data(shipment),
        "tracking_id": shipment.tracking_id,
        "waybill": shipment.waybill,
        "vendor": shipment.vendor,
        "service": shipment.service,
        "courier_order_id": shipment.courier_order_id,
        "courier_tracking_url": shipment.courier_tracking_url,
        "charges": charges_of(shipment),
        "warehouse": shipment.warehouse_id,
        "payment_mode": str(shipment.payment_mode),
        "cod_amount": _money(shipment.cod_amount),
        "total_amount": _money(shipment.total_amount),
        "taxable_amount": _money(shipment.taxable_amount),
        "tax_amount": _money(shipment.tax_amount),
        "estimated_delivery": _time(shipment.estimated_delivery),
        "erased_at": _time(shipment.erased_at),
        "tracking_url": tracking_url(shipment.pk),
        "actions_allowed": [kind.value for kind in actions_allowed(shipment)],
        "created_at": _time(shipment.created_at),
        "updated_at": _time(shipment.updated_at),
    }


def charges_of(shipment: Shipment) -> dict[str, Any] | None:
    """Return what the courier asks for a shipment, always in the same order of members."""
    if shipment.charges is None:
        return None
    stored = {name: shipment.charges[name] for name in ("total", "gst", "parts", "billed_weight_g")}
    return stored | {"parts": dict(sorted(stored["parts"].items()))}


def warnings_data(shipment: Shipment) -> list[dict[str, str]]:
    """Return a shipment's warnings for the API, always in the same order of members."""
    return [
        {name: warning[name] for name in ("field", "code", "message")}
        for warning in shipment.warnings
    ]


def shipment_json(shipment: Shipment) -> bytes:
    """Return `shipment_data` as compact UTF-8 JSON, always in the same order."""
    return json.dumps(shipment_data(shipment), ensure_ascii=False, separators=(",", ":")).encode()


def scan_data(scan: Scan) -> dict[str, Any]:
    """Return the fields of a scan for the API. `status` is None for an unknown courier status."""
    return {
        "at": _time(scan.at),
        "status": scan.status or None,
        "courier_type": scan.courier_type,
        "courier_status": scan.courier_status,
        "courier_code": scan.courier_code,
        "ndr_reason": scan.ndr_reason,
        "location": scan.location,
        "description": scan.description,
        "ignored": scan.ignored,
    }


def time_text(moment: dt.datetime) -> str:
    """Return a time as ISO 8601 in UTC, to the millisecond."""
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _money(amount: Decimal) -> str:
    return f"{amount:.2f}"


def _time(moment: dt.datetime | None) -> str | None:
    return None if moment is None else time_text(moment)
