"""What Velocity refuses in the body of an exchange, and the two orders that it stands for. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.checks import is_text, require
from sandbox.velocity.order_validation import ADDRESS, check_forward, check_reverse
from sandbox.velocity.validation import check_known

SIZES = ("weight", "length", "breadth", "height")
FIELDS = (
    "order_id", "forward_order_id", "order_date", "carrier_id", "channel", "payment_method",
    "cod_collectible", "print_label", "return_reason", "order_items", "return_items",
    "forward_warehouse_id", "return_warehouse_id", *SIZES, *(f"return_{name}" for name in SIZES),
    *(f"billing_{part}" for part in ADDRESS), *(f"pickup_{part}" for part in ADDRESS),
)  # fmt: skip
# Where the checks of the two orders need one; the warehouse itself is looked up later.
ANY_WAREHOUSE: Mapping[str, Any] = {
    "name": "Any",
    "phone_number": "9000000000",
    "address_attributes": {
        "street_address": "Any", "zip": "110001", "city": "Any", "state": "Any", "country": "India"
    },
}  # fmt: skip


def check_exchange(body: Mapping[str, Any]) -> None:
    """The body of an exchange: both of its orders follow the rules of their kinds."""
    check_known(body, FIELDS)
    require(is_text(body.get("order_id")), "order_id is required")
    require(is_text(body.get("forward_warehouse_id")), "forward_warehouse_id is required")
    require(is_text(body.get("return_warehouse_id", "-")), "return_warehouse_id must be text")
    for name in ("order_items", "return_items"):
        items = body.get(name)
        require(isinstance(items, list) and bool(items), f"{name} must have at least one")
        require(all(isinstance(item, dict) for item in items or []), f"{name} must be objects")
    check_forward(forward_of(body, ANY_WAREHOUSE))
    check_reverse(reverse_of(body, "Any", ANY_WAREHOUSE), image_needed=False)


def forward_of(body: Mapping[str, Any], warehouse: Mapping[str, Any]) -> dict[str, Any]:
    """The forward order of an exchange, whose own number may be `forward_order_id`."""
    items = [_without_hsn(item) for item in body["order_items"]]
    given = (*(f"billing_{part}" for part in ADDRESS), *SIZES, "payment_method", "order_date")
    return {name: body[name] for name in given if name in body} | {
        "order_id": body.get("forward_order_id", body["order_id"]),
        "order_items": items,
        "sub_total": _sum_of(items),
        "cod_collectible": body.get("cod_collectible", 0),
        "print_label": body.get("print_label", True),
        "warehouse_id": body["forward_warehouse_id"],
        "pickup_location": warehouse["name"],
    }


def reverse_of(
    body: Mapping[str, Any], warehouse_id: str, warehouse: Mapping[str, Any]
) -> dict[str, Any]:
    """The return of an exchange; sizes and weight are the forward order's where none are given."""
    items = [_without_hsn(item) for item in body["return_items"]]
    place = warehouse["address_attributes"]
    sizes = {name: body.get(f"return_{name}", body.get(name)) for name in SIZES}
    given = (*(f"pickup_{part}" for part in ADDRESS), "order_date")
    return {name: body[name] for name in given if name in body} | sizes | {
        "order_id": f"{body['order_id']}-RET",
        "order_items": items,
        "sub_total": _sum_of(items),
        "payment_method": "PREPAID",
        "warehouse_id": warehouse_id,
        "shipping_customer_name": warehouse["name"],
        "shipping_address": place["street_address"],
        "shipping_city": place["city"],
        "shipping_pincode": place["zip"],
        "shipping_state": place["state"],
        "shipping_country": place["country"],
        "shipping_phone": warehouse["phone_number"],
    }  # fmt: skip


def _without_hsn(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item as other orders have it."""
    return {name: value for name, value in item.items() if name != "hsn"}


def _sum_of(items: list[dict[str, Any]]) -> float:
    """The items' prices; what is not a number is left to the check of the items."""
    prices = [(item.get("units"), item.get("selling_price")) for item in items]
    return float(
        sum(
            units * price
            for units, price in prices
            if isinstance(units, int) and isinstance(price, (int, float))
        )
    )
