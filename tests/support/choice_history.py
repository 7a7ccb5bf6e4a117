"""What two couriers that a rule asks in turn have done, for the pages about the choice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from couriers.booking.going_on import go_on_due
from couriers.booking.protocol import book
from couriers.models import Company, Shipment
from couriers.operations.performance import count_months
from couriers.rates.performance import last_months
from couriers.tracking.events import apply_events
from tests.support.drafts import created_event, draft_with
from tests.support.factories import ShipmentFactory
from tests.support.fail_over import Asked, settle_absent

LATE = "LATE1"  # the tracking id of the earlier courier's parcel
ENDS = ("delivered", "delivered", "delivered", "rto_delivered", "in_transit")
PINCODES = ("411004", "560008", "110001", "781001")


def make_history(company: Company, asked: Sequence[Asked], orders: int = 40) -> None:
    """Create orders of this month and the two before it, with prices, and count the months."""
    now = timezone.now()
    for number in range(orders):
        account = asked[number % len(asked)].account
        booked_at = now - dt.timedelta(days=number * 2 % 75, hours=number)
        ShipmentFactory(
            account=account, warehouse=company.warehouses.get(), booked_at=booked_at,
            status=ENDS[number % len(ENDS)], status_at=booked_at + dt.timedelta(days=3),
            price_booked={"total": f"{60 + number}.00"}, delivery_attempts=1 + number % 2,
            consignee_pincode=PINCODES[number % len(PINCODES)],
        )  # fmt: skip
    count_months([one.account for one in asked], last_months(6))


def refused_first(company: Company, asked: Sequence[Asked], **order: Any) -> Shipment:
    """Return an order that the second courier has, because the first refused it."""
    asked[0].books.behaviours = ["refuses"]
    shipment = book(company, draft_with(courier="auto", **order)).shipment
    shipment.refresh_from_db()
    return shipment


def late_yes(company: Company, asked: Sequence[Asked], order_number: str) -> Shipment:
    """Return an order that the second courier has, and the first one too, as it says late.

    The rule goes on after a doubt.
    """
    asked[0].books.behaviours = ["request lost"]
    book(company, draft_with(courier="auto", order_number=order_number))
    settle_absent()
    assert go_on_due(5) == 1
    apply_events(asked[0].account, [created_event(order_number, LATE)])
    return Shipment.objects.get(order_number=order_number)
