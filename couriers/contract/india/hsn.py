"""HSN codes, which classify goods for GST."""

from __future__ import annotations

import re

from couriers.contract.india.remarks import Remark

_HSN = re.compile(r"[0-9]{4}|[0-9]{6}|[0-9]{8}")
_ODD = re.compile(r"[0-9]{3}|[0-9]{5}|[0-9]{7}")
_EMPTY_CHAPTERS = ("00", "77")
_SERVICES = "99"


def hsn_problem(code: str) -> str | None:
    """Return what is wrong with an HSN code, or None. A blank code is no problem."""
    if not code:
        return None
    if _ODD.fullmatch(code) and hsn_problem("0" + code) is None:
        return f"must have 4, 6 or 8 digits: was it 0{code} before a spreadsheet cut the zero?"
    if not _HSN.fullmatch(code):
        return "must have 4, 6 or 8 digits"
    if code[:2] in _EMPTY_CHAPTERS:
        return f"is in chapter {code[:2]}, which has no goods"
    return None


def hsn_remark(code: str) -> Remark | None:
    """Return a remark on the code of a service: what is shipped is goods."""
    if not code.startswith(_SERVICES) or hsn_problem(code):
        return None
    return Remark("hsn_is_a_service", "is the code of a service (SAC), not of goods")
