"""What Velocity refuses in the bodies that make orders. Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from sandbox.checks import is_number, is_text, is_whole_number, require, require_fields
from sandbox.errors import Refused
from sandbox.velocity.validation import (
    HEAVIEST,
    LONGEST,
    LONGEST_NAME,
    check_address,
    check_known,
    check_phone,
    check_pincode,
    check_words,
)

COMMON = (
    "order_id", "order_date", "carrier_id", "channel_id", "order_items", "payment_method",
    "sub_total", "length", "breadth", "height", "weight", "warehouse_id",
)  # fmt: skip
ADDRESS = (
    "customer_name", "last_name", "address", "address_2", "city", "pincode", "state", "country",
    "email", "phone", "isd_code",
)  # fmt: skip
FORWARD = (
    *COMMON, *(f"billing_{part}" for part in ADDRESS), "shipping_is_billing", "print_label",
    "cod_collectible", "pickup_location", "rto_warehouse_id", "vendor_details",
)  # fmt: skip
REVERSE = (
    *COMMON, *(f"pickup_{part}" for part in ADDRESS), *(f"shipping_{part}" for part in ADDRESS),
    "company_name", "total_discount", "request_pickup",
)  # fmt: skip
ITEM = ("name", "sku", "units", "selling_price", "discount", "tax")
QUALITY = (
    "qc_enable", "qc_product_name", "qc_product_image", "qc_brand", "qc_size", "qc_color",
    "qc_questions",
)  # fmt: skip
VENDOR = (
    "email", "phone", "name", "address", "address_2", "city", "state", "country", "pin_code",
    "pickup_location",
)  # fmt: skip
LOWEST_COD = 1
MOST_UNITS, MOST_RUPEES = 10_000, 10_000_000
MOST_QUESTIONS = 6


def check_forward(body: Mapping[str, Any]) -> None:
    """The body of a forward order. Weight is in kilograms, sizes are in centimetres."""
    check_known(body, FORWARD)
    _check_order(body, "%Y-%m-%d %H:%M")
    check_address(body, "billing")
    check_pincode("billing_pincode", body.get("billing_pincode"))
    check_phone("billing_phone", body.get("billing_phone"))
    require(isinstance(body.get("print_label"), bool), "print_label must be true or false")
    same = body.get("shipping_is_billing", True)
    require(same is True, "shipping_is_billing must be true: no other address is given")
    check_words("pickup_location", body.get("pickup_location"), LONGEST_NAME)
    for item in body["order_items"]:
        check_known(item, ITEM, "order_items.")
    _check_money(body)
    vendor = body.get("vendor_details", {})
    require(isinstance(vendor, dict), "vendor_details must be an object")
    check_known(vendor, VENDOR, "vendor_details.")


def check_reverse(body: Mapping[str, Any], *, image_needed: bool = True) -> None:
    """The body of a return. The warehouse's phone and pincode may be numbers.

    With `image_needed` an item to be checked needs a name and an image for it.
    """
    check_known(body, REVERSE)
    _check_order(body, "%Y-%m-%d %H:%M", "%Y-%m-%d")
    for who in ("pickup", "shipping"):
        check_address(body, who)
        check_pincode(f"{who}_pincode", str(body.get(f"{who}_pincode")))
        check_phone(f"{who}_phone", str(body.get(f"{who}_phone")))
    require(body.get("payment_method") == "PREPAID", "payment_method must be PREPAID")
    require(isinstance(body.get("request_pickup", True), bool), "request_pickup: true or false")
    for item in body["order_items"]:
        check_known(item, (*ITEM, *QUALITY), "order_items.")
        _check_quality(item, image_needed=image_needed)


def _check_order(body: Mapping[str, Any], *date_forms: str) -> None:
    """What forward orders and returns have in common."""
    require_fields(body, ("order_id", "warehouse_id"), _is_line, "text")
    require(len(body["order_id"]) <= LONGEST_NAME, "order_id is too long")
    for name in ("carrier_id", "channel_id"):
        require(isinstance(body.get(name, ""), str), f"{name} must be text")
    _check_date(body.get("order_date"), date_forms)
    require_fields(body, ("sub_total",), _is_amount, "an amount in rupees")
    require_fields(body, ("length", "breadth", "height", "weight"), _is_positive, "more than 0")
    require(body["weight"] <= HEAVIEST, f"weight must be at most {HEAVIEST} kg")
    for name in ("length", "breadth", "height"):
        require(body[name] <= LONGEST, f"{name} must be at most {LONGEST} cm")
    items = body.get("order_items")
    require(isinstance(items, list) and bool(items), "order_items must have at least one")
    for item in items or []:
        _check_item(item)


def _check_date(value: Any, forms: tuple[str, ...]) -> None:
    for form in forms:
        try:
            day = dt.datetime.strptime(str(value), form)  # noqa: DTZ007 - India's, without a zone
        except ValueError:
            continue
        if day.strftime(form) == value:
            return
    raise Refused("order_date must be YYYY-MM-DD HH:mm")


def _check_item(item: Any) -> None:
    require(isinstance(item, dict), "an item must be an object")
    require_fields(item, ("name", "sku"), _is_line, "text")
    require(
        is_whole_number(item.get("units")) and 1 <= item["units"] <= MOST_UNITS,
        "order_items.units: 1 or more",
    )
    require(_is_amount(item.get("selling_price")), "order_items.selling_price must be an amount")
    require(_is_amount(item.get("discount", 0)), "order_items.discount must be an amount")
    tax = item.get("tax", 0)
    require(_is_amount(tax) and tax <= 100, "order_items.tax must be a percentage")


def _check_quality(item: Mapping[str, Any], *, image_needed: bool) -> None:
    wanted = item.get("qc_enable", False)
    require(isinstance(wanted, bool), "qc_enable must be true or false")
    if wanted and image_needed:
        require(is_text(item.get("qc_product_name")), "qc_product_name is required")
        image = item.get("qc_product_image")
        require(bool(re.match(r"https?://\S+\Z", str(image))), "qc_product_image must be a URL")
    questions = item.get("qc_questions", [])
    require(isinstance(questions, list), "qc_questions must be a list")
    require(len(questions) <= MOST_QUESTIONS, f"qc_questions must be at most {MOST_QUESTIONS}")


def _check_money(body: Mapping[str, Any]) -> None:
    method = body.get("payment_method")
    require(method in ("COD", "PREPAID"), "payment_method must be COD or PREPAID")
    require_fields(body, ("cod_collectible",), _is_amount, "an amount in rupees")
    collected = body["cod_collectible"]
    if method == "PREPAID":
        require(collected == 0, "cod_collectible must be 0 when prepaid")
    else:
        require(collected >= LOWEST_COD, f"cod_collectible must be at least {LOWEST_COD}")


def _is_line(value: Any) -> bool:
    return is_text(value) and value.isprintable()


def _is_amount(value: Any) -> bool:
    return is_number(value) and 0 <= value <= MOST_RUPEES


def _is_positive(value: Any) -> bool:
    return is_number(value) and value > 0
