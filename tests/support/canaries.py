"""Rows of a canary whose figures are known, and its report."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

from django.utils import timezone

from couriers.models import CallbackTally, CourierAccount, CourierCall, Shipment
from couriers.models.ids import first_shipment_id
from tests.support.commands import run_json
from tests.support.factories import ShipmentFactory
from webhooks.models import WebhookEvent

_numbers = itertools.count(1)


def ago(**parts: float) -> dt.datetime:
    """The time so long ago."""
    return timezone.now() - dt.timedelta(**parts)


def make_booking(
    account: CourierAccount, at: dt.datetime, *, seconds: float = 0.5, status: str = "booked",
    outcome: str = "ok", http_status: int | None = None, **columns: Any,
) -> Shipment:  # fmt: skip
    """Store a booking that was asked for at this time, whose call took `seconds`."""
    number = next(_numbers)
    is_booked = status not in ("failed", "in_doubt", "booking")
    ended = at + dt.timedelta(seconds=seconds)
    shipment = ShipmentFactory(
        id=f"{first_shipment_id(at)[:-6]}{number:06d}",
        account=account,
        warehouse=account.company.warehouses.first(),
        status=status,
        order_number=f"C-{number}",
        tracking_id=f"T-{number}" if is_booked else "",
        booked_at=ended if is_booked else None,
        status_at=ended,
        tracked_at=timezone.now() if is_booked else None,
        **columns,
    )
    Shipment.objects.filter(pk=shipment.pk).update(created_at=at)
    CourierCall.objects.create(
        account=account, shipment=shipment, operation="create_shipment", outcome=outcome,
        http_status=http_status, started_at=at, finished_at=ended,
    )  # fmt: skip
    return shipment


def make_callback(
    account: CourierAccount, at: dt.datetime, *, seconds: float = 0.2, state: str = "processed"
) -> WebhookEvent:
    """Store a callback that came at this time, and was applied `seconds` later."""
    applied = at + dt.timedelta(seconds=seconds) if state == "processed" else None
    return WebhookEvent.objects.create(
        account=account, content_hash=f"canary {next(_numbers)}".encode(), state=state,
        received_at=at, processed_at=applied, next_attempt_at=at,
    )  # fmt: skip


def make_good_canary(account: CourierAccount, *, bookings: int = 60, callbacks: int = 30) -> None:
    """Store a day of which every figure is a go by the default thresholds.

    Bookings and callbacks come evenly, the last of them an hour ago.
    """
    for number in range(bookings):
        make_booking(account, ago(hours=23 - 22 * number / bookings))
    for number in range(callbacks):
        make_callback(account, ago(hours=22 - 21 * number / callbacks))
    CallbackTally.objects.update_or_create(account=account, defaults={"accepted_at": ago(hours=1)})


def report(account: Any, *more: str, code: int = 0, since: str = "24h") -> dict[str, Any]:
    """The report of the account's company, which must end with the exit code."""
    slug = account.company.slug
    return run_json("canary_report", "--company", slug, "--since", since, *more, code=code)


def checks_of(found: dict[str, Any]) -> dict[str, Any]:
    """The checks of a report by name."""
    return {check["name"]: check for check in found["checks"]}


def value(found: dict[str, Any], name: str) -> Any:
    """The value of a check."""
    return checks_of(found)[name]["value"]


def not_go(found: dict[str, Any]) -> list[str]:
    """The names of the checks that are no go."""
    return [check["name"] for check in found["checks"] if check["verdict"] != "go"]
