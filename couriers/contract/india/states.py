"""The states of India: their GST codes, official names and usual spellings.

Spellings are compared without case, dots, blanks, hyphens and the words "the" and "state of". A
text that names two states, or a state and something else, is no state.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from couriers.contract.india.remarks import Remark

# GST state codes as the GST portal lists them. 25 was merged into 26. 28 is Andhra Pradesh before
# its division.
GST_STATES = {
    "01": "Jammu and Kashmir", "02": "Himachal Pradesh", "03": "Punjab", "04": "Chandigarh",
    "05": "Uttarakhand", "06": "Haryana", "07": "Delhi", "08": "Rajasthan",
    "09": "Uttar Pradesh", "10": "Bihar", "11": "Sikkim", "12": "Arunachal Pradesh",
    "13": "Nagaland", "14": "Manipur", "15": "Mizoram", "16": "Tripura", "17": "Meghalaya",
    "18": "Assam", "19": "West Bengal", "20": "Jharkhand", "21": "Odisha", "22": "Chhattisgarh",
    "23": "Madhya Pradesh", "24": "Gujarat", "25": "Daman and Diu",
    "26": "Dadra and Nagar Haveli and Daman and Diu", "27": "Maharashtra", "28": "Andhra Pradesh",
    "29": "Karnataka", "30": "Goa", "31": "Lakshadweep", "32": "Kerala", "33": "Tamil Nadu",
    "34": "Puducherry", "35": "Andaman and Nicobar Islands", "36": "Telangana",
    "37": "Andhra Pradesh", "38": "Ladakh", "97": "Other Territory", "99": "Centre Jurisdiction",
}  # fmt: skip

# Codes of ISO 3166-2:IN (today's and former), of shop systems and of marketplaces.
_CODES = {
    "Andaman and Nicobar Islands": "AN", "Andhra Pradesh": "AP AD", "Arunachal Pradesh": "AR",
    "Assam": "AS", "Bihar": "BR BH", "Chandigarh": "CH", "Chhattisgarh": "CG CT",
    "Dadra and Nagar Haveli and Daman and Diu": "DH DN DD DNH DNHDD", "Delhi": "DL NCT",
    "Goa": "GA", "Gujarat": "GJ", "Haryana": "HR", "Himachal Pradesh": "HP",
    "Jammu and Kashmir": "JK", "Jharkhand": "JH", "Karnataka": "KA", "Kerala": "KL",
    "Ladakh": "LA", "Lakshadweep": "LD", "Madhya Pradesh": "MP", "Maharashtra": "MH",
    "Manipur": "MN", "Meghalaya": "ML ME", "Mizoram": "MZ MI", "Nagaland": "NL",
    "Odisha": "OD OR", "Puducherry": "PY PU", "Punjab": "PB", "Rajasthan": "RJ", "Sikkim": "SK",
    "Tamil Nadu": "TN", "Telangana": "TS TG", "Tripura": "TR", "Uttar Pradesh": "UP",
    "Uttarakhand": "UK UT UA", "West Bengal": "WB",
}  # fmt: skip

# Former names, names of parts and usual misspellings.
_SPELLINGS = {
    "Andaman and Nicobar Islands": (
        "Andaman & Nicobar", "A & N", "A & N Islands", "Andaman", "Andaman and Nicobar Island",
    ),
    "Andhra Pradesh": ("Andra Pradesh", "Andhra"),
    "Arunachal Pradesh": ("Arunanchal Pradesh",),
    "Assam": ("Asam",),
    "Bihar": ("Behar",),
    "Chandigarh": ("Chandighar",),
    "Chhattisgarh": ("Chattisgarh", "Chhatisgarh", "Chatisgarh", "Chattishgarh"),
    "Dadra and Nagar Haveli and Daman and Diu": (
        "Dadra & Nagar Haveli", "Dadar & Nagar Haveli", "Dadra & Nagar", "Daman & Diu", "Daman",
        "Diu", "Silvassa",
    ),
    "Delhi": ("New Delhi", "NCT Delhi", "NCT of Delhi", "National Capital Territory of Delhi"),
    "Gujarat": ("Gujrat",),
    "Haryana": ("Hariyana",),
    "Himachal Pradesh": ("Himachal", "Himanchal Pradesh"),
    "Jammu and Kashmir": ("J & K", "Jammu", "Kashmir"),
    "Jharkhand": ("Jharkand",),
    "Karnataka": ("Karnatka", "Mysore State"),
    "Kerala": ("Kerela", "Kerla"),
    "Ladakh": ("Leh", "Kargil"),
    "Lakshadweep": ("Lakshadweep Islands", "Lakshadeep"),
    "Maharashtra": ("Maharastra",),
    "Meghalaya": ("Meghalya",),
    "Odisha": ("Orissa",),
    "Puducherry": ("Pondicherry", "Pondichery"),
    "Punjab": ("Panjab", "Punjab/Mohali/Zirakpur"),
    "Rajasthan": ("Rajsthan", "Rajshthan", "Rajastan"),
    "Tamil Nadu": ("Madras State",),
    "Telangana": ("Telengana", "Telagana"),
    "Uttar Pradesh": ("Uttar Pardesh",),
    "Uttarakhand": ("Uttaranchal", "Uttrakhand", "Uttarakand"),
    "West Bengal": ("West Bangal",),
}  # fmt: skip

# The capital's region reaches into three other states.
_REGIONS = {"DELHINCR": "Delhi", "NCRDELHI": "Delhi", "NEWDELHINCR": "Delhi"}

_SEPARATORS = re.compile(r"[()\[\]/,;:|\u2013\u2014-]+")
_UNWANTED_STARTS = ("THE", "STATEOF", "UNIONTERRITORYOF", "UTOF")
_UNWANTED_ENDS = ("STATE", "UT")


# A booking asks a dozen times, for two states.
@lru_cache(maxsize=256)
def state_name(text: str) -> str | None:
    """Return the official name of a state from any usual spelling or code, or None.

    `Maharashtra (MH)` and `29-Karnataka` are known because both parts name the same state.
    """
    if known := _look_up(text):
        return known
    parts = [part for part in _SEPARATORS.split(text) if part.strip()]
    if len(parts) < 2:
        return None
    # A GST code alone is no name, because most numbers are something else.
    names = {_look_up(part) or _state_of_gst_code(part.strip()) for part in parts}
    return names.pop() if len(names) == 1 else None


def state_problem(text: str) -> str | None:
    """Return what is wrong with the name of a state, or None where `state_name` knows it."""
    if not text.strip():
        return "is missing"
    return None if state_name(text) else "is not a state of India"


def state_remark(text: str) -> Remark | None:
    """Return a remark on a name that may stand for more than one state, such as "Delhi NCR"."""
    if _key(text) not in _REGIONS:
        return None
    return Remark("state_is_a_region", "is a region of several states: it was taken for Delhi")


def _look_up(text: str) -> str | None:
    key = _key(text)
    if key in _STATES:
        return _STATES[key]
    for start in _UNWANTED_STARTS:
        key = key.removeprefix(start)
    keys = (key, *(key.removesuffix(end) for end in _UNWANTED_ENDS))
    return next((_STATES[key] for key in keys if key in _STATES), None)


def _state_of_gst_code(text: str) -> str | None:
    name = GST_STATES.get(text)
    return _STATES[_key(name)] if name else None


def _key(text: str) -> str:
    """Return the letters and digits of a name in upper case, with AND for `&`, without accents."""
    plain = unicodedata.normalize("NFKD", text).upper().replace("&", "AND")
    return "".join(c for c in plain if c.isalnum())


def _all_spellings() -> dict[str, str]:
    found = {_key(name): name for name in GST_STATES.values()}
    found[_key("Daman and Diu")] = GST_STATES["26"]
    for name, codes in _CODES.items():
        for code in codes.split():
            found |= {code: name, f"IN{code}": name}
    for name, spellings in _SPELLINGS.items():
        found |= {_key(spelling): name for spelling in spellings}
    # "Jammu Kashmir", "Dadra Nagar Haveli": the word "and" is often left out.
    found |= {
        _key(re.sub(r" (and|&) ", " ", spelling)): name
        for name in _CODES
        for spelling in (name, *_SPELLINGS.get(name, ()))
    }
    return found | _REGIONS


_STATES = _all_spellings()
