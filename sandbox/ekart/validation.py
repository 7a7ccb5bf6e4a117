"""What Ekart refuses, as its document and its known oddities have it. Pure.

The body of a create call, by far the longest, has a module of its own.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from sandbox.checks import is_list_of_texts, is_text, is_whole_number, require, require_fields
from sandbox.ekart.pincodes import MAX_COD
from sandbox.ekart.topics import TOPICS
from sandbox.errors import Refused
from sandbox.india import INDIA, today

MAX_IDS = 100
NDR_DAYS = 7


def check_phone(name: str, value: Any) -> None:
    """A phone number of ten digits, which Ekart wants as a number."""
    require(
        is_whole_number(value) and 10**9 <= value < 10**10, f"{name} must be a ten-digit number"
    )


def check_future_date(name: str, value: Any) -> None:
    """A date as YYYY-MM-DD, tomorrow or later in India."""
    # fromisoformat() alone would also take weeks, and dates without dashes.
    require(
        isinstance(value, str) and bool(re.fullmatch(r"\d{4}-\d\d-\d\d", value)),
        f"{name} must be YYYY-MM-DD",
    )
    try:
        day = dt.date.fromisoformat(value)
    except ValueError:
        raise Refused(f"{name} must be YYYY-MM-DD") from None
    require(day > today(), f"{name} must be tomorrow or later")


def check_location(name: str, location: Any, *, drop: bool) -> None:
    """A location with its address; with `drop` the consignee's, which needs city and state too."""
    require(isinstance(location, dict), f"{name} must be an object")
    require_fields(location, ("name", "address", "country"), _is_filled, "text")
    check_phone(f"{name}.phone", location.get("phone"))
    require(
        is_whole_number(location.get("pin")) and 10**5 <= location["pin"] < 10**6,
        f"{name}.pin must be a pincode",
    )
    if drop:
        for part in ("city", "state"):
            require(bool(location.get(part)), f"{name}.{part} cannot be blank")


def _is_filled(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def check_ids(body: Mapping[str, Any]) -> list[str]:
    """The ids of a call for many shipments: one to a hundred different texts."""
    ids = body.get("ids")
    require(is_list_of_texts(ids), "ids must be a list of texts")
    assert isinstance(ids, list)
    require(1 <= len(ids) <= MAX_IDS, f"ids must be 1 to {MAX_IDS}")
    require(len(set(ids)) == len(ids), "ids must be unique")
    return ids


def check_ndr(body: Mapping[str, Any]) -> None:
    """The body of an NDR action (/api/v2/package/ndr)."""
    action = body.get("action")
    require(action in ("Re-Attempt", "RTO"), "action must be Re-Attempt or RTO")
    require(is_text(body.get("wbn")), "wbn is required")
    if "date" in body:
        require(is_whole_number(body["date"]), "date must be in milliseconds since the epoch")
    if action == "Re-Attempt":
        require("date" in body, "date is required for Re-Attempt")
        _check_attempt_date(body["date"])
    phone = body.get("phone", "0000000000")
    require(
        isinstance(phone, str) and bool(re.fullmatch("[0-9]{10}", phone)),
        "phone must have ten digits",
    )
    for name in ("address", "instructions"):
        require(is_text(body.get(name, "-")), f"{name} must be text")
    require(is_list_of_texts(body.get("links", [])), "links must be a list of texts")


def _check_attempt_date(milliseconds: int) -> None:
    try:
        day = dt.datetime.fromtimestamp(milliseconds / 1000, INDIA).date()
    except (OverflowError, ValueError, OSError):
        raise Refused("date must be in milliseconds since the epoch") from None
    require(
        1 <= (day - today()).days <= NDR_DAYS,
        f"date must be from tomorrow to {NDR_DAYS} days ahead",
    )


def check_address(body: Mapping[str, Any]) -> None:
    """The body of an address to be registered."""
    require_fields(body, ("alias", "address_line1"), _is_filled, "text")
    check_phone("phone", body.get("phone"))
    require(is_whole_number(body.get("pincode")), "pincode must be a number")
    require(body.get("country", "India") in ("India", "IN"), "country must be India or IN")


def check_estimate(body: Mapping[str, Any]) -> None:
    """The body of a price estimate."""
    require(
        body.get("billingClientType")
        in ("PROSPECTIVE_CLIENT", "EXISTING_CLIENT", "EXISTING_CLIENT_CUSTOM_RATE_SNAPSHOT"),
        "billingClientType is required",
    )
    require(
        body.get("shippingDirection") in ("FORWARD", "REVERSE"), "shippingDirection is required"
    )
    require(body.get("serviceType") in ("SURFACE", "EXPRESS"), "serviceType is required")
    sizes = ("pickupPincode", "dropPincode", "length", "width", "height", "weight")
    require_fields(
        body, sizes, lambda v: is_whole_number(v) and v >= 1, "a whole number of at least 1"
    )


def check_lane(body: Mapping[str, Any]) -> None:
    """The body of a question about two pincodes, in which numbers are texts.

    `direction` is required although the document does not list it.
    """
    require(body.get("direction") in ("FORWARD", "REVERSE"), "direction must be FORWARD or REVERSE")
    for name in ("pickupPincode", "dropPincode"):
        check_pincode(name, body.get(name))
    for name in ("length", "width", "height", "weight"):
        require(_amount(body, name) >= 1, f"{name} must be at least 1")
    _amount(body, "invoiceAmount")
    payment = body.get("paymentType")
    require(payment in ("COD", "Prepaid"), "paymentType must be COD or Prepaid")
    require(payment != "COD" or "codAmount" in body, "codAmount is required for COD")
    if "codAmount" in body:
        require(_amount(body, "codAmount") <= MAX_COD, f"codAmount must be at most {MAX_COD}")
    require(
        body.get("serviceType", "SURFACE") in ("SURFACE", "EXPRESS"),
        "serviceType must be SURFACE or EXPRESS",
    )


def check_pincode(name: str, value: Any) -> None:
    """A pincode of six digits, as text."""
    require(
        isinstance(value, str) and bool(re.fullmatch("[1-9][0-9]{5}", value)),
        f"{name} must have six digits",
    )


def _amount(body: Mapping[str, Any], name: str) -> float:
    """The number that is in a text field."""
    text = body.get(name)
    require(
        isinstance(text, str) and bool(re.fullmatch(r"\d+(\.\d+)?", text)),
        f"{name} must be a number in text",
    )
    return float(str(text))


def check_new_webhook(body: Mapping[str, Any]) -> None:
    """The body of a webhook to be registered."""
    for name in ("url", "secret", "topics"):
        require(name in body, f"{name} is required")
    check_webhook_changes(body)


def check_webhook_changes(body: Mapping[str, Any]) -> None:
    """The body of a webhook to be edited; what is left out stays as it is."""
    if "url" in body:
        require(bool(re.match(r"https?://\S+\Z", str(body["url"]))), "url must be a URL")
    if "secret" in body:
        require(
            isinstance(body["secret"], str) and 6 <= len(body["secret"]) <= 30,
            "secret must have 6 to 30 characters",
        )
    if "topics" in body:
        require(
            isinstance(body["topics"], list)
            and bool(body["topics"])
            and set(map(str, body["topics"])) <= set(TOPICS),
            f"topics must be of {', '.join(sorted(TOPICS))}",
        )
