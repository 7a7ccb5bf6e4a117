"""What the sandbox refuses, as Ekart's document and its known oddities have it. Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

INDIA = ZoneInfo("Asia/Kolkata")

TEXTS = (
    "seller_name",
    "seller_address",
    "seller_gst_tin",
    "order_number",
    "invoice_number",
    "invoice_date",
    "consignee_name",
    "category_of_goods",
    "products_desc",
    "commodity_value",
)


class Refused(Exception):
    """Ekart's error answer: `code` goes into `message`, the words into `description`."""

    def __init__(
        self, description: str, *, status: int = 400, code: str = "SWIFT_VALIDATION_EXCEPTION"
    ) -> None:
        super().__init__(description)
        self.status = status
        self.code = code
        self.description = description


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def demand(holds: bool, description: str) -> None:
    """Refuse unless it holds."""
    if not holds:
        raise Refused(description)


def need(
    body: Mapping[str, Any], names: tuple[str, ...], kind: Callable[[Any], bool], what: str
) -> None:
    """Refuse a body in which one of the names is missing or not of its kind."""
    for name in names:
        demand(name in body, f"{name} is required")
        demand(kind(body[name]), f"{name} must be {what}")


def check_location(name: str, location: Any, *, drop: bool) -> None:
    """A location in full; the customer's needs a city and a state too."""
    demand(isinstance(location, dict), f"{name} must be an object")
    need(location, ("name", "address", "country"), lambda v: isinstance(v, str) and v != "", "text")
    demand(
        _is_whole(location.get("phone")) and 10**9 <= location["phone"] < 10**10,
        f"{name}.phone must be a ten-digit number",
    )
    demand(
        _is_whole(location.get("pin")) and 10**5 <= location["pin"] < 10**6,
        f"{name}.pin must be a pincode",
    )
    if drop:
        for part in ("city", "state"):
            demand(bool(location.get(part)), f"{name}.{part} cannot be blank")


def check_shipment(body: Any, aliases: set[str]) -> None:
    """The body of a create call."""
    demand(isinstance(body, dict), "a JSON object is required")
    need(body, TEXTS, lambda v: isinstance(v, str) and v.strip() != "", "text")
    demand(len(body["seller_gst_tin"]) == 15, "seller_gst_tin must have 15 characters")
    mode = body.get("payment_mode")
    demand(mode in ("COD", "Prepaid", "Pickup"), "payment_mode must be COD, Prepaid or Pickup")
    need(
        body,
        ("total_amount", "tax_value", "taxable_amount", "cod_amount"),
        lambda v: _is_number(v) and v >= 0,
        "an amount",
    )
    demand(
        round(body["taxable_amount"] * 100) + round(body["tax_value"] * 100)
        == round(body["total_amount"] * 100),
        "total_amount must be the sum of taxable_amount and tax_value",
    )
    demand(body["taxable_amount"] >= 1, "taxable_amount must be at least 1")
    demand(body["cod_amount"] <= 49999, "cod_amount must be at most 49999")
    demand(mode == "COD" or body["cod_amount"] == 0, "cod_amount is for COD alone")
    demand(mode != "COD" or body["cod_amount"] > 0, "cod_amount is required for COD")
    whole: tuple[str, ...] = ("quantity", "weight")
    if "templateName" in body:
        demand(
            not {"length", "width", "height"} & set(body),
            "Only one of templateName or length, width, height will be accepted",
        )
    else:
        whole += ("length", "width", "height")
    need(body, whole, lambda v: _is_whole(v) and v >= 1, "a whole number of at least 1")
    if mode == "Pickup":
        demand(bool(body.get("return_reason")), "return_reason is required")
    check_location("drop_location", body.get("drop_location"), drop=True)
    if "ewbn" in body:
        demand(bool(re.fullmatch(r"\d{12}", str(body["ewbn"]))), "ewbn must have 12 digits")
    other = body.get("consignee_alternate_phone")
    if other is not None:
        demand(len(str(other)) >= 10, "consignee_alternate_phone must have 10 digits")
        demand(
            str(other)[-10:] != str(body["drop_location"]["phone"]),
            "Phone and Alternate Phone cannot be same",
        )
    _check_dispatch(body)
    _check_pickup(body.get("pickup_location"), aliases)


def _check_dispatch(body: Mapping[str, Any]) -> None:
    date = body.get("preferred_dispatch_date")
    if date is None:
        return
    demand(not body.get("delayed_dispatch"), "preferred_dispatch_date excludes delayed_dispatch")
    try:
        day = dt.date.fromisoformat(date)
    except (TypeError, ValueError):
        raise Refused("preferred_dispatch_date must be YYYY-MM-DD") from None
    demand(day > dt.datetime.now(INDIA).date(), "preferred_dispatch_date must be tomorrow or later")


def _check_pickup(location: Any, aliases: set[str]) -> None:
    if location is None:
        demand(len(aliases) == 1, "pickup_location is required")
        return
    demand(isinstance(location, dict), "pickup_location must be an object")
    name = location.get("name")
    demand(isinstance(name, str) and name != "", "pickup_location.name is required")
    if name in aliases:
        return
    if set(location) == {"name"}:
        raise Refused(
            f"{name} pickup_location does not exist or is deleted.",
            status=404,
            code="SWIFT_RESOURCE_NOT_FOUND_EXCEPTION",
        )
    check_location("pickup_location", location, drop=False)


def check_address(body: Any) -> None:
    """The body of an address to be registered."""
    demand(isinstance(body, dict), "a JSON object is required")
    need(body, ("alias", "address_line1"), lambda v: isinstance(v, str) and v != "", "text")
    demand(
        _is_whole(body.get("phone")) and 10**9 <= body["phone"] < 10**10,
        "phone must be a ten-digit number",
    )
    demand(_is_whole(body.get("pincode")), "pincode must be a number")
    demand(body.get("country", "India") in ("India", "IN"), "country must be India or IN")


def check_estimate(body: Any) -> None:
    """The body of a price question; two required fields are described nowhere."""
    demand(isinstance(body, dict), "a JSON object is required")
    demand(
        body.get("billingClientType")
        in ("PROSPECTIVE_CLIENT", "EXISTING_CLIENT", "EXISTING_CLIENT_CUSTOM_RATE_SNAPSHOT"),
        "billingClientType is required",
    )
    demand(body.get("shippingDirection") in ("FORWARD", "REVERSE"), "shippingDirection is required")
    demand(body.get("serviceType") in ("SURFACE", "EXPRESS"), "serviceType is required")
    sizes = ("pickupPincode", "dropPincode", "length", "width", "height", "weight")
    need(body, sizes, lambda v: _is_whole(v) and v >= 1, "a whole number of at least 1")


def check_webhook(body: Any, *, whole: bool) -> None:
    """The body of a callback to be registered (`whole`) or edited."""
    demand(isinstance(body, dict), "a JSON object is required")
    for name in ("url", "secret", "topics") if whole else ():
        demand(name in body, f"{name} is required")
    if "url" in body:
        demand(bool(re.match(r"https?://\S+\Z", str(body["url"]))), "url must be a URL")
    if "secret" in body:
        demand(
            isinstance(body["secret"], str) and 6 <= len(body["secret"]) <= 30,
            "secret must have 6 to 30 characters",
        )
    if "topics" in body:
        known = {"track_updated", "shipment_created", "shipment_recreated"}
        demand(
            isinstance(body["topics"], list)
            and bool(body["topics"])
            and set(map(str, body["topics"])) <= known,
            f"topics must be of {', '.join(sorted(known))}",
        )
