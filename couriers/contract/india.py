"""Indian phones, pincodes, states, GSTINs and days.

Pure functions over public directories. Parsing never guesses: ambiguous input gives None.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import indian_pincode
import phonenumbers
from django.utils import timezone
from stdnum import luhn
from stdnum.exceptions import ValidationError as NumberError
from stdnum.in_ import pan

IST = ZoneInfo("Asia/Kolkata")

_PINCODE = re.compile(r"[1-9][0-9]{5}")
_PHONE = re.compile(r"[0-9+()\-.\s]+")
_GSTIN = re.compile(r"[0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][1-9A-Z]Z[0-9A-Z]")
_GSTIN_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

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

_STATE_ALIASES = {
    "ap": "Andhra Pradesh", "ar": "Arunachal Pradesh", "as": "Assam", "br": "Bihar",
    "cg": "Chhattisgarh", "ct": "Chhattisgarh", "ch": "Chandigarh", "dl": "Delhi", "ga": "Goa",
    "gj": "Gujarat", "hr": "Haryana", "hp": "Himachal Pradesh", "jk": "Jammu and Kashmir",
    "jh": "Jharkhand", "ka": "Karnataka", "kl": "Kerala", "la": "Ladakh", "ld": "Lakshadweep",
    "mp": "Madhya Pradesh", "mh": "Maharashtra", "mn": "Manipur", "ml": "Meghalaya",
    "mz": "Mizoram", "nl": "Nagaland", "or": "Odisha", "od": "Odisha", "orissa": "Odisha",
    "pb": "Punjab", "punjab mohali zirakpur": "Punjab", "py": "Puducherry",
    "pondicherry": "Puducherry", "rj": "Rajasthan", "rajshthan": "Rajasthan",
    "rajsthan": "Rajasthan", "sk": "Sikkim", "tn": "Tamil Nadu", "ts": "Telangana",
    "tg": "Telangana", "tr": "Tripura", "up": "Uttar Pradesh", "uk": "Uttarakhand",
    "uttaranchal": "Uttarakhand", "wb": "West Bengal", "new delhi": "Delhi",
    "nct of delhi": "Delhi", "an": "Andaman and Nicobar Islands",
    "andaman and nicobar": "Andaman and Nicobar Islands",
    "dadra and nagar": "Dadra and Nagar Haveli and Daman and Diu",
    "dadra and nagar haveli": "Dadra and Nagar Haveli and Daman and Diu",
    "daman and diu": "Dadra and Nagar Haveli and Daman and Diu",
    "the dadra and nagar haveli and daman and diu": "Dadra and Nagar Haveli and Daman and Diu",
    "dn": "Dadra and Nagar Haveli and Daman and Diu",
    "dd": "Dadra and Nagar Haveli and Daman and Diu",
}  # fmt: skip


def _normalise(name: str) -> str:
    return re.sub(r"[^a-z]+", " ", name.casefold().replace("&", " and ")).strip()


_STATES = {_normalise(name): name for name in GST_STATES.values()} | _STATE_ALIASES
_STATES["daman and diu"] = "Dadra and Nagar Haveli and Daman and Diu"


@dataclass(frozen=True, slots=True)
class Place:
    """The city and state of a pincode. In the public directory the city is the postal district."""

    city: str
    state: str


def today() -> dt.date:
    """Return today's date in India. Orders, invoices and pickups use it."""
    return timezone.now().astimezone(IST).date()


def day_span(day: dt.date) -> tuple[dt.datetime, dt.datetime]:
    """Return the start of a day in India and the start of the next day.

    For the last day of the calendar, its last microsecond is returned instead of the next day.
    """
    start = dt.datetime.combine(day, dt.time(), IST)
    if day == dt.date.max:
        return start, dt.datetime.combine(day, dt.time.max, IST)
    return start, start + dt.timedelta(days=1)


def parse_phone(text: str) -> str | None:
    """Return the ten digits of an Indian phone number in any usual notation, or None.

    A number is accepted if `phonenumbers` calls it possible. Letters are refused first, because the
    library would read them as digits of the keypad.
    """
    text = text.strip()
    if len(text) > 30 or not text.isascii() or not _PHONE.fullmatch(text):
        return None
    try:
        number = phonenumbers.parse(text, "IN")
    except phonenumbers.NumberParseException:
        return None
    digits = str(number.national_number)
    if number.country_code != 91 or len(digits) != 10 or number.extension:
        return None
    return digits if phonenumbers.is_possible_number(number) else None


def is_pincode(text: str) -> bool:
    """Whether the text has the form of a pincode: six ASCII digits, the first not 0."""
    return bool(_PINCODE.fullmatch(text))


def phone_problem(text: str) -> str | None:
    """Return what is wrong with a phone number, or None where `parse_phone` reads it."""
    if not text.strip():
        return "is missing"
    return None if parse_phone(text) else "is not a ten-digit Indian phone number"


def pincode_problem(text: str) -> str | None:
    """Return what is wrong with the form of a pincode, or None."""
    if not text.strip():
        return "is missing"
    return None if is_pincode(text) else "is not a six-digit pincode"


def state_problem(text: str) -> str | None:
    """Return what is wrong with the name of a state, or None where `state_name` knows it."""
    if not text.strip():
        return "is missing"
    return None if state_name(text) else "is not a state of India"


def place_of(pincode: str) -> Place | None:
    """Return the district and state of a pincode; None for the 1 % that the directory lacks."""
    details = indian_pincode.get_details(pincode) if is_pincode(pincode) else None
    if not details:
        return None
    districts = details.get("districts") or []
    state = details.get("state") or ""
    return Place(
        city=str(districts[0]).title() if districts else "",
        state=state_name(state) or state.title(),
    )


def state_name(text: str) -> str | None:
    """Return the official name of a state from any usual spelling or abbreviation, or None."""
    return _STATES.get(_normalise(text))


def gstin_problem(text: str) -> str | None:
    """Return what is wrong with a GSTIN, or None for a valid one.

    The rules are the GST portal's: state code, PAN, entity, Z, check character. The state codes are
    looked up here, because python-stdnum refuses 38 (Ladakh) and 97.
    """
    if not text:
        return "is missing"
    if not _GSTIN.fullmatch(text):
        return "must be 15 characters like 29ABCDE1234F1Z5"
    if text[:2] not in GST_STATES:
        return f"has an unknown state code {text[:2]}"
    try:
        pan.validate(text[2:12])
    except NumberError:
        return "does not contain a valid PAN"
    try:
        luhn.validate(text, _GSTIN_ALPHABET)
    except NumberError:
        return "has a wrong check digit"
    return None
