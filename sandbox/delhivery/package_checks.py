"""What Delhivery refuses in a package of a create call, and what no client should send. Pure.

`problems` are breaks of the document: they list the request as invalid. A refusal alone, such as of
a pincode, is what a correct client meets too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.delhivery.pincodes import Pincode
from sandbox.delhivery.shipments import MODES, number_in

MAX_ORDER = 50
E_WAY_BILL_FROM = 50_000  # rupees
BANNED = "&#%;\\"
REVERSE = "Pickup"
TEXTS = (
    "name", "order", "phone", "add", "city", "state", "country", "payment_mode", "products_desc",
    "hsn_code", "seller_name", "seller_add", "seller_inv", "seller_gst_tin", "address_type",
    "shipping_mode", "transport_speed", "waybill", "shipment_type", "client", "master_id",
    "return_name", "return_add", "return_city", "return_state", "return_country", "qc_type",
)  # fmt: skip
NUMBERS = (
    "cod_amount", "total_amount", "weight", "shipment_length", "shipment_width", "shipment_height",
    "quantity", "mps_amount", "mps_children",
)  # fmt: skip
FLAGS = ("fragile_shipment", "dangerous_good", "plastic_packaging")
OTHERS = ("pin", "return_pin", "return_phone", "order_date", "ewbn", "custom_qc")
KNOWN = frozenset((*TEXTS, *NUMBERS, *FLAGS, *OTHERS))
MAX_QC_ITEMS, MAX_QC_QUESTIONS = 2, 6
_PHONE = re.compile(r"(?:\+?91-?|0)?([0-9]{10})")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a package is not saved, in Delhivery's words; `code` is its err_code."""

    reason: str
    code: str = ""


def problems_of(package: Mapping[str, Any]) -> Iterator[str]:
    """Every break of the document in a package."""
    yield from (f"{name} is no field" for name in sorted(set(package) - KNOWN))
    for name in ("name", "order", "phone", "add", "payment_mode"):
        if not str(package.get(name) or "").strip():
            yield f"{name} is required"
    if not re.fullmatch("[1-9][0-9]{5}", str(package.get("pin", ""))):
        yield "pin must have six digits"
    for name in TEXTS:
        if name in package and not isinstance(package[name], str):
            yield f"{name} must be text"
    for name in NUMBERS:
        if package.get(name) not in (None, "") and number_in(package[name]) is None:
            yield f"{name} must be a number"
    for name, value in package.items():
        if isinstance(value, str) and any(sign in value for sign in BANNED):
            yield f"{name} has one of {BANNED}"
    yield from _problems_of_modes(package)
    yield from _problems_of_boxes(package)
    yield from _problems_of_checks(package)


def _problems_of_modes(package: Mapping[str, Any]) -> Iterator[str]:
    mode = str(package.get("payment_mode"))
    if mode not in MODES:
        yield f"payment_mode must be one of {', '.join(MODES)}"
    if mode == "COD" and not (number_in(package.get("cod_amount")) or 0) > 0:
        yield "cod_amount must be above 0 for COD"
    if mode != "COD" and (number_in(package.get("cod_amount")) or 0) > 0:
        yield f"cod_amount must be left out for {mode}"
    if len(str(package.get("order", ""))) > MAX_ORDER:
        yield f"order has more than {MAX_ORDER} characters"
    if "client" in package:
        yield "client must be left out"
    for name, allowed in (
        ("shipping_mode", ("Surface", "Express")),
        ("transport_speed", ("F", "D")),
        ("address_type", ("home", "office")),
    ):
        if package.get(name, allowed[0]) not in allowed:
            yield f"{name} must be one of {', '.join(allowed)}"
    if (number_in(package.get("weight", 1)) or 0) <= 0:
        yield "weight must be above 0 grams"


def _problems_of_boxes(package: Mapping[str, Any]) -> Iterator[str]:
    names = ("master_id", "mps_children", "mps_amount")
    if package.get("shipment_type") == "MPS":
        yield from (f"{name} is required for MPS" for name in names if name not in package)
        if not package.get("waybill"):
            yield "a box of several must bring its waybill"
    else:
        if "shipment_type" in package:
            yield "shipment_type must be left out, or MPS"
        yield from (f"{name} is for MPS" for name in names if name in package)


def _problems_of_checks(package: Mapping[str, Any]) -> Iterator[str]:
    """Problems of a quality check at the customer's door."""
    if "qc_type" not in package and "custom_qc" not in package:
        return
    if package.get("payment_mode") != REVERSE:
        yield "a quality check is for returns"
    if package.get("qc_type") != "param":
        yield "qc_type must be param"
    items = package.get("custom_qc")
    if not isinstance(items, list) or not 1 <= len(items) <= MAX_QC_ITEMS:
        yield f"custom_qc must be 1 to {MAX_QC_ITEMS} items"
        return
    for item in items:
        questions = item.get("questions") if isinstance(item, dict) else None
        if not isinstance(questions, list) or not 1 <= len(questions) <= MAX_QC_QUESTIONS:
            yield f"an item of custom_qc must have 1 to {MAX_QC_QUESTIONS} questions"


def refusal_of(package: Mapping[str, Any], client: str) -> Refusal | None:
    """Why Delhivery does not save a package: what its own numbers do not decide."""
    return _refusal_of_texts(package) or _refusal_of_lane(package, client)


def _refusal_of_texts(package: Mapping[str, Any]) -> Refusal | None:
    order, mode = str(package.get("order", "")), str(package.get("payment_mode", ""))
    phone = str(package.get("phone") or "")
    if not str(package.get("name") or "").strip():
        return Refusal("consignee name not provided")
    if not phone:
        return Refusal("No phone number provided.")
    found = _PHONE.fullmatch(phone.replace(" ", ""))
    if not found:
        return Refusal(f"Incorrect phone number(s) for order {order}")
    if len(set(found[1])) == 1:
        return Refusal("suspicious order/consignee", code="ER0005")
    if not str(package.get("add") or "").strip():
        return Refusal("add is required for the shipment")
    if not order or len(order) > MAX_ORDER:
        return Refusal(f"oid does not pass the validator for {order}")
    if mode not in MODES:
        return Refusal(f'Payment mode "{mode}" could not be standardized')
    if mode == "COD" and not (number_in(package.get("cod_amount")) or 0) > 0:
        return Refusal("COD amount missing for COD/Cash package")
    if package.get("shipment_type", "MPS") != "MPS":
        return Refusal("Waybill does not match master waybill pattern or wrong shipment type")
    return None


def _refusal_of_lane(package: Mapping[str, Any], client: str) -> Refusal | None:
    text, mode = str(package.get("pin", "")), package["payment_mode"]
    if not re.fullmatch("[1-9][0-9]{5}", text):
        return Refusal("Consignee pin code is invalid")
    pin = Pincode(text)
    value = number_in(package.get("total_amount")) or 0
    if not pin.takes(number_in(package.get("weight")) or 0, value):
        return Refusal(f"{text} is non serviceable pincode")
    is_possible = {"COD": pin.has_cod, REVERSE: pin.has_pickup, "REPL": pin.has_pickup}
    if not is_possible.get(mode, True):
        return Refusal(f"Package type {mode} not serviceable for {client}")
    if value >= E_WAY_BILL_FROM and not package.get("ewbn"):
        return Refusal("ewbn is required for the shipment")
    return None
