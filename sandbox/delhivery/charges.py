"""Charges of shipments: invented, always the same. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

RUPEES = {"S": 38.0, "E": 62.0}  # for each half kilogram, by mode
STEP_GRAMS = 500
COD_RUPEES, FUEL, BACK, TAX = 40.0, 0.1, 0.9, 0.18  # FUEL and BACK are shares of the freight
KNOWN = ("md", "ss", "o_pin", "d_pin", "cgm", "pt", "cod", "l", "b", "h")
TAXES = ("CGST", "SGST", "IGST")
PARTS = ("DL", "COD", "FSC", "DPH", "RTO", "DTO", "REATTEMPT", "ROV")


def problem_of(query: Mapping[str, str]) -> str:
    """What is wrong about the parameters, or an empty text."""
    for name in query:
        if name not in KNOWN:
            return f"{name} is not a valid parameter"
    for name, pattern in (
        ("md", "[SE]"),
        ("ss", "Delivered|RTO|DTO"),
        ("o_pin", "[1-9][0-9]{5}"),
        ("d_pin", "[1-9][0-9]{5}"),
        ("cgm", "[0-9]{1,7}([.][0-9]{1,3})?"),
    ):
        if not re.fullmatch(pattern, query.get(name, "")):
            return f"{name} is missing or invalid"
    if query.get("pt", "COD") not in ("Pre-paid", "COD"):
        return "pt is invalid"
    return ""


def charge(query: Mapping[str, str], *, zero: bool) -> dict[str, Any]:
    """The charge for valid parameters; everything is 0 with `zero`, and without `pt`."""
    halves = max(1, math.ceil(float(query["cgm"]) / STEP_GRAMS))
    factor = 0.0 if zero or "pt" not in query else 1.0
    freight = factor * RUPEES[query["md"]] * halves
    parts = dict.fromkeys(PARTS, 0.0)
    parts["DL"] = freight
    parts["FSC"] = round(freight * FUEL, 2)
    if query.get("pt") == "COD":
        parts["COD"] = factor * COD_RUPEES
    if query["ss"] != "Delivered":
        parts[query["ss"]] = round(freight * BACK, 2)
    gross = round(sum(parts.values()), 2)
    is_inside = query["o_pin"][0] == query["d_pin"][0]
    tax = round(gross * TAX, 2)
    taxes = dict.fromkeys(TAXES, 0.0)
    if is_inside:
        taxes["CGST"] = round(tax / 2, 2)
        taxes["SGST"] = round(tax - taxes["CGST"], 2)
    else:
        taxes["IGST"] = tax
    return {
        **{f"charge_{name}": amount for name, amount in parts.items()},
        "gross_amount": gross,
        "tax_data": taxes,
        "total_amount": round(gross + tax, 2),
        "zone": "B" if is_inside else "D",
        "charged_weight": float(halves * STEP_GRAMS),
        "status": query["ss"],
    }
