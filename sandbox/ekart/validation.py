"""What the sandbox refuses, as Ekart's document and its known oddities have it. Pure.

The body of a create call, by far the longest, has a module of its own.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

INDIA = ZoneInfo("Asia/Kolkata")

TOPICS = {"track_updated", "shipment_created", "shipment_recreated"}
MOST_IDS = 100
NDR_DAYS = 7


class Refused(Exception):
    """Ekart's error answer: `code` goes into `message`, the words into `description`."""

    def __init__(
        self, description: str, *, status: int = 400, code: str = "SWIFT_VALIDATION_EXCEPTION"
    ) -> None:
        super().__init__(description)
        self.status = status
        self.code = code
        self.description = description


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_text(value: Any) -> bool:
    return isinstance(value, str) and value.strip() != ""


def is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(is_text, value))


def today() -> dt.date:
    """The day in India, by which Ekart reckons."""
    return dt.datetime.now(INDIA).date()


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


def check_phone(name: str, value: Any) -> None:
    """A phone number, which Ekart takes as a number."""
    demand(is_whole(value) and 10**9 <= value < 10**10, f"{name} must be a ten-digit number")


def check_day_to_come(name: str, value: Any) -> None:
    """A date as YYYY-MM-DD, tomorrow or later in India."""
    # Python's own reader would take weeks and dates without dashes too.
    demand(
        isinstance(value, str) and bool(re.fullmatch(r"\d{4}-\d\d-\d\d", value)),
        f"{name} must be YYYY-MM-DD",
    )
    try:
        day = dt.date.fromisoformat(value)
    except ValueError:
        raise Refused(f"{name} must be YYYY-MM-DD") from None
    demand(day > today(), f"{name} must be tomorrow or later")


def check_location(name: str, location: Any, *, drop: bool) -> None:
    """A location in full; the customer's needs a city and a state too."""
    demand(isinstance(location, dict), f"{name} must be an object")
    need(location, ("name", "address", "country"), lambda v: isinstance(v, str) and v != "", "text")
    check_phone(f"{name}.phone", location.get("phone"))
    demand(
        is_whole(location.get("pin")) and 10**5 <= location["pin"] < 10**6,
        f"{name}.pin must be a pincode",
    )
    if drop:
        for part in ("city", "state"):
            demand(bool(location.get(part)), f"{name}.{part} cannot be blank")


def check_ids(body: Mapping[str, Any]) -> list[str]:
    """The ids of a call that takes one to a hundred different ones."""
    ids = body.get("ids")
    demand(is_list_of_texts(ids), "ids must be a list of texts")
    assert isinstance(ids, list)
    demand(1 <= len(ids) <= MOST_IDS, f"ids must be 1 to {MOST_IDS}")
    demand(len(set(ids)) == len(ids), "ids must be unique")
    return ids


def check_ndr(body: Mapping[str, Any]) -> None:
    """What is to be done about a parcel that was not delivered (/api/v2/package/ndr)."""
    action = body.get("action")
    demand(action in ("Re-Attempt", "RTO"), "action must be Re-Attempt or RTO")
    demand(is_text(body.get("wbn")), "wbn is required")
    if "date" in body:
        demand(is_whole(body["date"]), "date must be in milliseconds since the epoch")
    if action == "Re-Attempt":
        demand("date" in body, "date is required for Re-Attempt")
        _check_attempt_day(body["date"])
    phone = body.get("phone", "0000000000")
    demand(
        isinstance(phone, str) and bool(re.fullmatch("[0-9]{10}", phone)),
        "phone must have ten digits",
    )
    for name in ("address", "instructions"):
        demand(is_text(body.get(name, "-")), f"{name} must be text")
    demand(is_list_of_texts(body.get("links", [])), "links must be a list of texts")


def _check_attempt_day(milliseconds: int) -> None:
    try:
        day = dt.datetime.fromtimestamp(milliseconds / 1000, INDIA).date()
    except (OverflowError, ValueError, OSError):
        raise Refused("date must be in milliseconds since the epoch") from None
    demand(
        1 <= (day - today()).days <= NDR_DAYS,
        f"date must be from tomorrow to {NDR_DAYS} days ahead",
    )


def check_address(body: Any) -> None:
    """The body of an address to be registered."""
    demand(isinstance(body, dict), "a JSON object is required")
    need(body, ("alias", "address_line1"), lambda v: isinstance(v, str) and v != "", "text")
    check_phone("phone", body.get("phone"))
    demand(is_whole(body.get("pincode")), "pincode must be a number")
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
    need(body, sizes, lambda v: is_whole(v) and v >= 1, "a whole number of at least 1")


def check_lane(body: Mapping[str, Any]) -> None:
    """The body of a question about two pincodes, in which everything is text.

    `direction` is demanded although the document knows of no such field.
    """
    demand(body.get("direction") in ("FORWARD", "REVERSE"), "direction must be FORWARD or REVERSE")
    for name in ("pickupPincode", "dropPincode"):
        check_pincode(name, body.get(name))
    for name in ("length", "width", "height", "weight"):
        demand(_amount(body, name) >= 1, f"{name} must be at least 1")
    _amount(body, "invoiceAmount")
    payment = body.get("paymentType")
    demand(payment in ("COD", "Prepaid"), "paymentType must be COD or Prepaid")
    demand(payment != "COD" or "codAmount" in body, "codAmount is required for COD")
    if "codAmount" in body:
        demand(_amount(body, "codAmount") <= 49999, "codAmount must be at most 49999")
    demand(
        body.get("serviceType", "SURFACE") in ("SURFACE", "EXPRESS"),
        "serviceType must be SURFACE or EXPRESS",
    )


def check_pincode(name: str, value: Any) -> None:
    """A pincode as text."""
    demand(
        isinstance(value, str) and bool(re.fullmatch("[1-9][0-9]{5}", value)),
        f"{name} must have six digits",
    )


def _amount(body: Mapping[str, Any], name: str) -> float:
    text = body.get(name)
    demand(
        isinstance(text, str) and bool(re.fullmatch(r"\d+(\.\d+)?", text)),
        f"{name} must be a number in text",
    )
    return float(str(text))


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
        demand(
            isinstance(body["topics"], list)
            and bool(body["topics"])
            and set(map(str, body["topics"])) <= TOPICS,
            f"topics must be of {', '.join(sorted(TOPICS))}",
        )
