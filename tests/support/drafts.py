"""A valid draft for the toy courier, its creation event, and a hook that fails."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from couriers.booking.bulk_jobs import OrderRequest
from couriers.contract.receiver import CourierEvent, Topic
from couriers.contract.types import Address, Item, Parcel, PaymentMode, ShipmentDraft

DRAFT = ShipmentDraft(
    courier="toy",
    order_number="A-1",
    order_date=dt.date(2026, 11, 23),
    payment_mode=PaymentMode.PREPAID,
    consignee=Address("Asha Sample", "98765 43210", "9, Secret Lane", "", "", "560008"),
    items=(Item("T-shirt", 1, Decimal("1523"), Decimal(12)),),
    parcel=Parcel(240, 30, 22, 8),
)


def draft_with(**changes: Any) -> ShipmentDraft:
    """Return DRAFT with other values in some fields."""
    return dataclasses.replace(DRAFT, **changes)


def requests_for(*drafts: ShipmentDraft) -> list[OrderRequest]:
    """Return the drafts as the orders of a bulk request."""
    return [OrderRequest.of(draft) for draft in drafts]


def created_event(order_number: str, tracking_id: str) -> CourierEvent:
    """Return the toy courier's event of the creation of the order's shipment."""
    return CourierEvent(
        Topic.SHIPMENT_CREATED, tracking_id, order_number, waybill="W9", vendor="TOY"
    )


def raising(error: BaseException, times: int | None = None) -> Callable[[Any], None]:
    """Return a hook for the toy courier that raises the error, always or the first `times`."""
    calls = itertools.count()

    def hook(_: Any) -> None:
        if times is None or next(calls) < times:
            raise error

    return hook
