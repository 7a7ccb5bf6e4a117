"""One row of each work list, for a company."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from couriers.models import (
    BulkJob,
    BulkOrder,
    Company,
    CourierAccount,
    FlagKind,
    Manifest,
    ManifestChunk,
    Scan,
    Shipment,
    ShipmentAction,
    WarehouseRegistration,
)
from couriers.models.flag import raise_flag
from tests.support.factories import ShipmentFactory, WarehouseFactory
from tests.support.outbox import make_endpoint
from webhooks.models import WebhookEndpoint, WebhookEvent


def make_work(account: CourierAccount) -> dict[str, Any]:
    """Create a row for each work list, and rows beside them that are on none; return the former."""
    now = timezone.now()
    warehouse = WarehouseFactory(company=account.company)

    def shipment(**fields: Any) -> Shipment:
        return ShipmentFactory(account=account, warehouse=warehouse, **fields)

    under_way = shipment(status="in_transit")
    rows: dict[str, Any] = {
        "doubts": shipment(status="in_doubt", tracking_id=""),
        "ndr": shipment(status="undelivered", status_at=now - dt.timedelta(hours=5)),
        "not-picked": shipment(status="not_picked", status_at=now),
    }
    raise_flag(under_way, FlagKind.SECOND_SHIPMENT, tracking_id="T-9")
    rows["flags"] = under_way.flags.get()
    raise_flag(under_way, FlagKind.LATE_ANSWER)
    under_way.flags.filter(kind=FlagKind.LATE_ANSWER).clear("settled", None)
    manifest = Manifest.objects.create(company=account.company, account=account)
    for place, state in enumerate(("failed", "pending", "done")):
        chunk = ManifestChunk.objects.create(
            manifest=manifest, position=place, tracking_ids=["x"], state=state, finished_at=now
        )
        rows.setdefault("chunks", chunk)
    rows["registrations"] = WarehouseRegistration.objects.create(
        account=account, warehouse=warehouse, state="failed", reason="the pincode is not served"
    )
    settled = shipment(status="in_transit")
    for one, state in ((under_way, "unknown"), (settled, "unknown"), (settled, "done")):
        action = ShipmentAction.objects.create(
            shipment=one, kind="reattempt", state=state, ended_at=now
        )
        rows.setdefault("actions", action)
    job = BulkJob.objects.create(company=account.company, total=3)
    for place, (outcome, number) in enumerate(
        (("failed", f"B-{account.pk}"), ("failed", under_way.order_number), ("booked", "B-2"))
    ):
        order = BulkOrder.objects.create(
            job=job, position=place, order_number=number, outcome=outcome, finished_at=now
        )
        rows.setdefault("bulk", order)
    for status in ("", "in_transit"):
        scan = Scan.objects.create(
            shipment=under_way, at=now, status=status, courier_status=f"word {status}"
        )
        rows.setdefault("unknown-statuses", scan)
    for state, hashed in (("dead", b"dead"), ("pending", b"due")):
        event = WebhookEvent.objects.create(
            account=account, content_hash=hashed, next_attempt_at=now, received_at=now,
            state=state, body=b"{}",
        )  # fmt: skip
        rows.setdefault("callbacks", event)
    for why, is_test in (("failing", False), ("failing", True), ("by_hand", False), ("", False)):
        endpoint = endpoint_that_is(account.company, why, is_test=is_test)
        rows.setdefault("endpoints", endpoint)
    return rows


def endpoint_that_is(company: Company, disabled_by: str = "", **fields: Any) -> WebhookEndpoint:
    """Create a storefront's endpoint with these fields, disabled if something disabled it."""
    endpoint = make_endpoint(company, "https://shop.example.com/hooks")
    if disabled_by:
        fields |= {"enabled": False, "disabled_by": disabled_by, "disabled_at": timezone.now()}
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(**fields)
    endpoint.refresh_from_db()
    return endpoint


def hold_to(user: Any, *companies: Any) -> None:
    """Hold the user to the companies."""
    from couriers.models import StaffScope

    scope = StaffScope.objects.create(user=user)
    scope.companies.set(companies)
