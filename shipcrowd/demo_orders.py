"""The orders of the demo, and the rules that choose their couriers.

The sample orders come from a file. Three more show what else can happen: a booking whose answer is
lost, a courier that refuses, and a delivery that fails at first. Their numbers tell the sandboxes.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal
from typing import Any

from couriers.contract import india
from couriers.contract.registry import AUTO
from couriers.contract.types import Address, Item, Parcel, PaymentMode, ShipmentDraft

SAREE, KURTA_SET = "SAREE-SILK", "KURTA-SET"
DOUBT, FAIL_OVER, NDR = "TEST-DOUBT", "DEMO-FAIL-OVER", "TEST-NDR"  # how the numbers begin


def _rule(name: str, strategy: str, *couriers: str, **conditions: Any) -> dict[str, Any]:
    return {
        "name": name,
        "strategy": strategy,
        "couriers": [{"courier": code} for code in couriers],
        "conditions": conditions,
        "fail_over": True,
        "book_after_doubt": True,
    }


# As POST /api/v1/courier-rules/ takes them, the first one first.
RULES = (
    _rule("Silk sarees", "priority", "velocity", "ekart", skus=[SAREE]),
    _rule("Kurta sets", "priority", "ekart", "delhivery", skus=[KURTA_SET]),
    _rule("Cash on delivery", "priority", "delhivery", "ekart", payment_modes=["cod"]),
    _rule("Heavy parcels", "cheapest", min_weight_g=900),
    _rule("All others", "weights", "ekart", "delhivery", "velocity"),
)


@dataclasses.dataclass(slots=True)
class Order:
    """One order. `result` is its status after booking, or why it was not booked."""

    number: str
    result: str
    shipment_id: str = ""


def doubt_order(suffix: str) -> ShipmentDraft:
    """Return an order for Velocity whose answer is lost: the search finds it."""
    return _draft(f"{DOUBT}-{suffix}", SAREE)


def fail_over_order(suffix: str) -> ShipmentDraft:
    """Return an order for Delhivery, then Ekart."""
    draft = _draft(f"{FAIL_OVER}-{suffix}", "KURTA-M")
    return dataclasses.replace(draft, payment_mode=PaymentMode.COD, cod_amount=Decimal("1149.00"))


def ndr_order(suffix: str) -> ShipmentDraft:
    """Return an order for Ekart that is delivered only once another attempt is asked for."""
    return _draft(f"{NDR}-{suffix}", KURTA_SET)


def _draft(number: str, sku: str) -> ShipmentDraft:
    return ShipmentDraft(
        courier=AUTO,
        order_number=number,
        order_date=india.today(),
        payment_mode=PaymentMode.PREPAID,
        consignee=Address(
            "Asha Sample", "9845010000", "1, Example Street", "Bengaluru", "Karnataka", "560034"
        ),
        items=(Item("Sample goods", 1, Decimal("1149.00"), Decimal(5), sku, "Kurta", "62114290"),),
        parcel=Parcel(320, 30, 22, 6),
    )


def tomorrow() -> dt.date:
    """Return the day of another attempt, India time."""
    return india.today() + dt.timedelta(days=1)


def request_body(draft: ShipmentDraft) -> dict[str, Any]:
    """Return the JSON that a storefront sends to book the draft."""
    body: dict[str, Any] = {
        "courier": draft.courier,
        "order_number": draft.order_number,
        "order_date": draft.order_date.isoformat(),
        "payment_mode": str(draft.payment_mode),
        "consignee": dataclasses.asdict(draft.consignee),
        "items": [
            dataclasses.asdict(item) | {"value": str(item.value), "gst_rate": str(item.gst_rate)}
            for item in draft.items
        ],
        "parcel": dataclasses.asdict(draft.parcel),
    }
    if draft.cod_amount:
        body["cod_amount"] = str(draft.cod_amount)
    return body
