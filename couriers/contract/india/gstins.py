"""GSTINs: the kinds that India issues, and their check digit.

Formats: the GST developer portal. The state codes are looked up here, because python-stdnum knows
neither 38 (Ladakh) nor 97 and refuses every kind but the regular one.
"""

from __future__ import annotations

import enum
import re

from stdnum import luhn
from stdnum.exceptions import ValidationError as NumberError
from stdnum.in_ import pan

from couriers.contract.india.states import GST_STATES

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class GstinKind(enum.StrEnum):
    """Whom a GSTIN was issued to. Composition, casual and SEZ dealers look like regular ones."""

    REGULAR = "regular"
    GOVERNMENT = "government department"
    TDS = "deductor of tax at source"
    TCS = "collector of tax at source"
    UIN = "embassy or body of the United Nations"
    NON_RESIDENT = "non-resident taxable person"
    OIDAR = "foreign provider of online services"


# The kinds that can sell goods and so stand on an invoice as the seller.
_SELLERS = frozenset({GstinKind.REGULAR, GstinKind.NON_RESIDENT})

# The first that fits is the kind.
_FORMATS = {
    GstinKind.REGULAR: r"[0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][1-9A-Z][Z1-9ABD-J][0-9A-Z]",
    GstinKind.GOVERNMENT: r"[0-9]{2}[A-Z]{4}[0-9]{5}[A-Z][0-9]Z[0-9]",
    GstinKind.TDS: r"[0-9]{2}[A-Z]{4}[A-Z0-9][0-9]{4}[A-Z][1-9A-Z]D[0-9A-Z]",
    GstinKind.TCS: r"[0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][1-9A-Z]C[0-9A-Z]",
    GstinKind.OIDAR: r"99[0-9]{2}[A-Z]{3}[0-9]{5}OS[0-9A-Z]",
    GstinKind.NON_RESIDENT: r"[0-9]{4}[A-Z]{3}[0-9]{5}NR[0-9A-Z]",
    GstinKind.UIN: r"[0-9]{4}[A-Z]{3}[0-9]{5}[UO]N[0-9A-Z]",
}
_PATTERNS = {kind: re.compile(pattern) for kind, pattern in _FORMATS.items()}


def gstin_kind(text: str) -> GstinKind | None:
    """Return the kind whose format the text has, or None. The check digit is not looked at."""
    return next((kind for kind, form in _PATTERNS.items() if form.fullmatch(text)), None)


def gstin_problem(text: str) -> str | None:
    """Return what is wrong with a GSTIN of any kind, or None for a valid one."""
    if not text:
        return "is missing"
    kind = gstin_kind(text)
    if kind is None:
        return "must be 15 characters like 29ABCDE1234F1Z5"
    if text[:2] not in GST_STATES:
        return f"has an unknown state code {text[:2]}"
    if kind in (GstinKind.REGULAR, GstinKind.TCS):
        try:
            pan.validate(text[2:12])
        except NumberError:
            return "does not contain a valid PAN"
    try:
        luhn.validate(text, _ALPHABET)
    except NumberError:
        return "has a wrong check digit"
    return None


def seller_gstin_problem(text: str) -> str | None:
    """Return what is wrong with the GSTIN of a seller, or None for one that may sell goods."""
    if problem := gstin_problem(text):
        return problem
    kind = gstin_kind(text)
    return None if kind in _SELLERS else f"is that of a {kind}, which sells no goods"
