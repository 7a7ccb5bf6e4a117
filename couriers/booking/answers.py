"""Shipments and scans as the API returns them.

A booking's answer is stored encrypted with its key, to be replayed: it has the consignee's data.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch, QuerySet, prefetch_related_objects

from couriers.booking.shipment_actions import actions_allowed
from couriers.contract.statuses import Status
from couriers.models import BookingAttempt, Scan, Shipment
from couriers.models.addresses import tracking_url
from couriers.models.call import Outcome
from couriers.models.fields import readable_or

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
# The columns that only the consignee needs, and that cost a decryption each.
ENCRYPTED_CONSIGNEE = (
    "consignee_phone", "consignee_address", "consignee_landmark", "consignee_email",
)  # fmt: skip
_ITEM = ("name", "sku", "category", "hsn_code", "quantity", "value", "gst_rate")
MAX_ATTEMPTS = 50  # of a shipment, the newest
_READ = "read_attempts"  # the attribute of a shipment with the attempts that were read before
_CHOICE = (
    "rule", "rule_name", "strategy", "fail_over", "after_doubt", "candidates", "passed_over",
)  # fmt: skip
_CANDIDATE = ("courier", "service", "price", "days")
_PASSED_OVER = ("courier", "reason", "detail")
_PRICE = ("base", "markup", "fee", "gst", "rounding", "total")


def shipment_data(shipment: Shipment, *, with_consignee: bool = True) -> dict[str, Any]:
    """Return the fields of a shipment for the API.

    Makes a query only for the attempts of a shipment that has several or has failed, and none where
    `prefetch_attempts` has read them. Without its consignee, whose member is None then, nothing of
    it is decrypted. Amounts are decimal strings in rupees, times are ISO 8601 in UTC.
    """
    return {
        "id": shipment.pk,
        "is_test": shipment.is_test,
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
        "price": {
            "quoted": _price(shipment.price_quoted),
            "booked": _price(shipment.price_booked),
        },
        "choice": choice_data(shipment),
        "warehouse": shipment.warehouse_id,
        "consignee": consignee_data(shipment) if with_consignee else None,
        "items": [_item(line) for line in shipment.items],
        "parcel": {
            "weight_g": shipment.weight_g,
            "length_cm": shipment.length_cm,
            "width_cm": shipment.width_cm,
            "height_cm": shipment.height_cm,
        },
        "invoice_number": shipment.invoice_number,
        "invoice_date": shipment.invoice_date and shipment.invoice_date.isoformat(),
        "return_reason": shipment.return_reason,
        "metadata": dict(sorted(shipment.metadata.items())),
        "payment_mode": str(shipment.payment_mode),
        "cod_amount": _money(shipment.cod_amount),
        "total_amount": _money(shipment.total_amount),
        "taxable_amount": _money(shipment.taxable_amount),
        "tax_amount": _money(shipment.tax_amount),
        "booking_attempts": attempts_data(shipment),
        "attempts": shipment.delivery_attempts,
        "delivered_at": _time(shipment.status_at if shipment.status == Status.DELIVERED else None),
        "estimated_delivery": _time(shipment.estimated_delivery),
        "erased_at": _time(shipment.erased_at),
        "tracking_url": tracking_url(shipment.pk),
        "actions_allowed": [kind.value for kind in actions_allowed(shipment)],
        "created_at": _time(shipment.created_at),
        "updated_at": _time(shipment.updated_at),
    }


def attempts_data(shipment: Shipment) -> list[dict[str, Any]]:
    """Return the attempts to book a shipment, the newest MAX_ATTEMPTS of them, in their order.

    The present one is last; a failed shipment has none. `tracking_id` of an earlier one is that of
    a parcel which its courier turned out to have.
    """
    found = []
    if _has_earlier_attempts(shipment):
        read = getattr(shipment, _READ, None)
        newest = _newest_attempts(shipment.earlier_attempts.all()) if read is None else read
        found = [_ended_attempt(attempt) for attempt in reversed(list(newest))]
    if shipment.status != Status.FAILED:
        found.append(_present_attempt(shipment))
    return found[-MAX_ATTEMPTS:]


def prefetch_attempts(shipments: Iterable[Shipment]) -> None:
    """Read the earlier attempts of these shipments by one query, or none where none has any."""
    rows = _newest_attempts(BookingAttempt.objects.all())
    prefetch_related_objects(
        [each for each in shipments if _has_earlier_attempts(each)],
        Prefetch("earlier_attempts", queryset=rows, to_attr=_READ),
    )


def _newest_attempts(attempts: QuerySet[BookingAttempt]) -> QuerySet[BookingAttempt]:
    return attempts.order_by("-number")[:MAX_ATTEMPTS]


def _has_earlier_attempts(shipment: Shipment) -> bool:
    return shipment.attempt > 1 or shipment.status == Status.FAILED


def _ended_attempt(attempt: BookingAttempt) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "courier": attempt.courier_id,
        "service": attempt.service,
        "outcome": attempt.outcome,
        "reason": attempt.reason,
        "started_at": _time(attempt.started_at),
        "ended_at": _time(attempt.ended_at),
        "tracking_id": attempt.tracking_id,
        "cancelled_at": _time(attempt.cancelled_at),
    }


def _present_attempt(shipment: Shipment) -> dict[str, Any]:
    outcomes = {Status.BOOKING: Outcome.PENDING, Status.IN_DOUBT: Outcome.UNKNOWN}
    return {
        "number": shipment.attempt,
        "courier": shipment.courier_id,
        "service": shipment.service,
        "outcome": str(outcomes.get(Status(shipment.status), Outcome.OK)),
        "reason": shipment.failure,
        "started_at": _time(shipment.attempt_started_at or shipment.created_at),
        "ended_at": _time(shipment.booked_at),
        "tracking_id": shipment.tracking_id,
        "cancelled_at": None,
    }


def consignee_data(shipment: Shipment) -> dict[str, str]:
    """Return the consignee of a shipment. What was erased, or no key opens, is ""."""
    return {
        "name": shipment.consignee_name,
        "phone": readable_or(shipment, "consignee_phone", ""),
        "email": readable_or(shipment, "consignee_email", "") or "",
        "address": readable_or(shipment, "consignee_address", ""),
        "landmark": readable_or(shipment, "consignee_landmark", "") or "",
        "city": shipment.consignee_city,
        "state": shipment.consignee_state,
        "pincode": shipment.consignee_pincode,
    }


def charges_of(shipment: Shipment) -> dict[str, Any] | None:
    """Return what the courier asks for a shipment, always in the same order of members."""
    if shipment.charges is None:
        return None
    stored = {name: shipment.charges[name] for name in ("total", "gst", "parts", "billed_weight_g")}
    return stored | {"parts": dict(sorted(stored["parts"].items()))}


def choice_data(shipment: Shipment) -> dict[str, Any] | None:
    """Return why a shipment got its courier, always in the same order of members."""
    stored = shipment.choice
    if stored is None:
        return None
    lists = {
        name: [{member: one[member] for member in members} for one in stored[name]]
        for name, members in (("candidates", _CANDIDATE), ("passed_over", _PASSED_OVER))
    }
    return {name: lists.get(name, stored[name]) for name in _CHOICE}


def warnings_data(shipment: Shipment) -> list[dict[str, str]]:
    """Return a shipment's warnings for the API, always in the same order of members."""
    return [
        {name: warning[name] for name in ("field", "code", "message")}
        for warning in shipment.warnings
    ]


def shipment_json(shipment: Shipment) -> bytes:
    """Return `shipment_data` as compact UTF-8 JSON, always in the same order."""
    return to_json(shipment_data(shipment))


def to_json(data: Any) -> bytes:
    """Return texts, numbers, lists and objects as compact UTF-8 JSON."""
    return _encode(data).encode()


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


def _item(line: dict[str, Any]) -> dict[str, Any]:
    """Return a stored line, always in the same order of members."""
    return {name: line.get(name, "") for name in _ITEM}


def _price(stored: dict[str, str] | None) -> dict[str, str] | None:
    """Return a stored price of the company, always in the same order of members."""
    return None if stored is None else {name: stored[name] for name in _PRICE}


def _money(amount: Decimal) -> str:
    return f"{amount:.2f}"


def _time(moment: dt.datetime | None) -> str | None:
    return None if moment is None else time_text(moment)
