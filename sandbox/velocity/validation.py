"""What Velocity refuses, as its documents and its carriers' rules have it. Pure.

The bodies that make orders have a module of their own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.checks import is_list_of_texts, is_number, is_text, require, require_fields

LONGEST_ADDRESS, LONGEST_NAME, LONGEST_CITY = 255, 100, 50
MOST_CANCELLED, MOST_FINANCE = 50, 100
# Beyond these a number is taken for grams or millimetres: kilograms and centimetres are meant.
HEAVIEST, LONGEST = 100, 400


def check_known(body: Mapping[str, Any], names: Iterable[str], where: str = "") -> None:
    """A body, or the part of it that `where` names, has no other fields than these."""
    for name in body:
        require(name in names, f"{where}{name} is not a known field")


def check_pincode(name: str, value: Any) -> None:
    """A pincode of six digits, as text."""
    require(
        isinstance(value, str) and bool(re.fullmatch("[1-9][0-9]{5}", value)),
        f"{name} must have six digits",
    )


def check_phone(name: str, value: Any) -> None:
    """A mobile number of ten digits without a prefix, as text: carriers refuse others."""
    require(
        isinstance(value, str) and bool(re.fullmatch("[6-9][0-9]{9}", value)),
        f"{name} must have ten digits, without a prefix",
    )


def check_email(name: str, value: Any) -> None:
    require(
        isinstance(value, str) and bool(re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value)),
        f"{name} must be an e-mail address",
    )


def check_words(name: str, value: Any, longest: int) -> None:
    """Text in Latin letters without emoji, of at most `longest` characters."""
    require(is_text(value), f"{name} is required")
    require(len(value) <= longest, f"{name} must have at most {longest} characters")
    require(all(map(_is_printed, value)), f"{name} has characters that carriers refuse")


def _is_printed(character: str) -> bool:
    """Whether it is a Latin letter, or punctuation: neither an emoji nor of another script."""
    kind = unicodedata.category(character)
    is_sign = character <= "\u00ff" or kind[0] in "PZ" or kind == "Sc"
    is_latin = unicodedata.name(character, "").startswith("LATIN")
    return character.isprintable() and (is_sign or is_latin)


def check_address(body: Mapping[str, Any], prefix: str) -> None:
    """The fields of an address whose names begin with `prefix`."""
    check_words(f"{prefix}_customer_name", body.get(f"{prefix}_customer_name"), LONGEST_NAME)
    check_words(f"{prefix}_address", body.get(f"{prefix}_address"), LONGEST_ADDRESS)
    check_words(f"{prefix}_city", body.get(f"{prefix}_city"), LONGEST_CITY)
    check_words(f"{prefix}_state", body.get(f"{prefix}_state"), LONGEST_CITY)
    country = body.get(f"{prefix}_country")
    require(country in ("India", "IN"), f"{prefix}_country must be India")
    for part, longest in (("last_name", LONGEST_NAME), ("address_2", LONGEST_ADDRESS)):
        if body.get(f"{prefix}_{part}", "") != "":
            check_words(f"{prefix}_{part}", body[f"{prefix}_{part}"], longest)
    if body.get(f"{prefix}_email", "") != "":
        check_email(f"{prefix}_email", body[f"{prefix}_email"])


def check_awbs(body: Mapping[str, Any], most: float) -> list[str]:
    """The AWBs of a call for several parcels."""
    check_known(body, ("awbs",))
    awbs = body.get("awbs")
    require(is_list_of_texts(awbs), "awbs must be a list of texts")
    assert isinstance(awbs, list)
    require(1 <= len(awbs) <= most, f"awbs must be 1 to {most:.0f}")
    return awbs


def check_reattempt(body: Mapping[str, Any]) -> None:
    """The body of /reattempt. Pincode and city cannot change, and there is no date."""
    check_known(body, ("awb", "updated_address", "updated_phone_number", "comments"))
    require(is_text(body.get("awb")), "awb is required")
    address = body.get("updated_address")
    if address is not None:
        require(isinstance(address, dict), "updated_address must be an object")
        check_known(address, ("address_line", "landmark"), "updated_address.")
        for name in address:
            check_words(f"updated_address.{name}", address[name], LONGEST_ADDRESS)
    phone = body.get("updated_phone_number")
    require(
        phone is None or bool(re.fullmatch(r"\+91[6-9][0-9]{9}", str(phone))),
        "updated_phone_number must begin with +91",
    )
    if body.get("comments") is not None:
        check_words("comments", body["comments"], LONGEST_ADDRESS)


def check_rto(body: Mapping[str, Any]) -> None:
    """The body of /initiate-rto."""
    check_known(body, ("awb",))
    require(is_text(body.get("awb")), "awb is required")


def check_rates(body: Mapping[str, Any]) -> None:
    """The body of /rates, in which weights are grams."""
    check_known(body, (
        "journey_type", "origin_pincode", "destination_pincode", "dead_weight", "length", "width",
        "height", "payment_method", "shipment_value", "qc_applicable",
    ))  # fmt: skip
    forward = body.get("journey_type") == "forward"
    require(forward or body.get("journey_type") == "return", "journey_type: forward or return")
    for name in ("origin_pincode", "destination_pincode"):
        check_pincode(name, body.get(name))
    sizes = ("dead_weight", "length", "width", "height")
    require_fields(body, sizes, lambda v: is_number(v) and v > 0, "more than 0")
    require(body["dead_weight"] <= HEAVIEST * 1000, f"dead_weight must be at most {HEAVIEST} kg")
    for name in sizes[1:]:
        require(body[name] <= LONGEST, f"{name} must be at most {LONGEST} cm")
    if not forward:
        require(isinstance(body.get("qc_applicable"), bool), "qc_applicable must be true or false")
        return
    require(body.get("payment_method") in ("cod", "prepaid"), "payment_method: cod or prepaid")
    if body["payment_method"] == "cod":
        require_fields(
            body, ("shipment_value",), lambda v: is_number(v) and v > 0, "an amount in rupees"
        )


def check_lane(body: Mapping[str, Any]) -> None:
    """The body of /serviceability."""
    check_known(body, ("from", "to", "payment_mode", "shipment_type"))
    check_pincode("from", body.get("from"))
    check_pincode("to", body.get("to"))
    require(body.get("payment_mode") in ("cod", "prepaid"), "payment_mode: cod or prepaid")
    require(body.get("shipment_type") in ("forward", "return"), "shipment_type: forward or return")


def check_warehouse(body: Mapping[str, Any]) -> None:
    """The body of /warehouse."""
    check_known(body, (
        "name", "phone_number", "email", "contact_person", "address_attributes", "gst_no"
    ))  # fmt: skip
    check_words("name", body.get("name"), LONGEST_NAME)
    check_words("contact_person", body.get("contact_person"), LONGEST_NAME)
    check_phone("phone_number", body.get("phone_number"))
    check_email("email", body.get("email"))
    address = body.get("address_attributes")
    require(isinstance(address, dict), "address_attributes must be an object")
    assert isinstance(address, dict)
    parts = {"street_address": LONGEST_ADDRESS, "city": LONGEST_CITY, "state": LONGEST_CITY}
    check_known(address, (*parts, "zip", "country"), "address_attributes.")
    for name, longest in parts.items():
        check_words(f"address_attributes.{name}", address.get(name), longest)
    check_pincode("address_attributes.zip", address.get("zip"))
    require(address.get("country") in ("India", "IN"), "address_attributes.country must be India")
    require(is_text(body.get("gst_no", "-")), "gst_no must be text")


def check_search(body: Mapping[str, Any]) -> None:
    """The body of /shipments and /returns."""
    check_known(body, ("search", "per_page", "page", "next_search_after"))
    require(isinstance(body.get("search", ""), str), "search must be text")
    per_page = body.get("per_page", 20)
    require(
        isinstance(per_page, int) and not isinstance(per_page, bool) and per_page >= 1,
        "per_page must be a number of at least 1",
    )
    page = body.get("page", {"number": 1})
    if isinstance(page, dict):
        check_known(page, ("number",), "page.")
        number = page.get("number")
        require(isinstance(number, int) and number >= 1, "page.number must be at least 1")
