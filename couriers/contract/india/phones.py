"""Indian phone numbers: reading them, what the numbering plan lacks, and what is likely wrong."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

import phonenumbers
from phonenumbers import PhoneNumberType

from couriers.contract.india.remarks import Remark
from couriers.contract.text import plain_digits

MAX_LENGTH = 60  # characters of a text with a phone, or with two
_PHONE = re.compile(r"(?:tel:)?['\u2019]?([0-9+()\-.\s]+)", re.IGNORECASE)
_EXTENSION = re.compile(r"(?:;ext=|ext(?:n|ension)?[.:]?|x|#)\s*([0-9]{1,7})", re.IGNORECASE)
_SEVERAL = re.compile(r"\s*[/,;|]\s*")
_NO_DELIVERY = re.compile(r"1(?:800|860|40|60[01])")
# Numbers that people type to fill a form. The first is no landline of any exchange in use.
_INVENTED = "1234567890"
_SEQUENCES = ("9876543210", "9123456789", "6789012345", "7890123456", "8901234567", "9012345678")


@dataclass(frozen=True, slots=True)
class Phone:
    """What a text says: ten digits, and whether an extension or further numbers stand beside."""

    digits: str
    has_extension: bool = False
    has_others: bool = False


def read_phone(text: str) -> Phone | None:
    """Return the Indian phone number of a text in any usual notation, or None.

    Of several numbers the first is taken. A number that the numbering plan lacks is not read, nor
    one that reaches no consignee (`phone_problem` says which).
    """
    number = _parse(text)
    return None if number is None or _plan_problem(number.digits) else number


def parse_phone(text: str) -> str | None:
    """Return the ten digits that `read_phone` reads, or None."""
    phone = read_phone(text)
    return phone.digits if phone else None


def phone_problem(text: str) -> str | None:
    """Return what is wrong with a phone number, or None where `parse_phone` reads it."""
    if not text.strip():
        return "is missing"
    number = _parse(text)
    return _plan_problem(number.digits) if number else "is not a ten-digit Indian phone number"


def single_phone_problem(text: str) -> str | None:
    """Return `phone_problem`, or that the text has more than one number or an extension."""
    phone = read_phone(text)
    if phone and (phone.has_extension or phone.has_others):
        return "has an extension or a second number: give one number"
    return phone_problem(text)


def phone_remarks(text: str) -> list[Remark]:
    """Return remarks on a number that is likely not the consignee's, or only part of the text."""
    phone = read_phone(text)
    if phone is None:
        return []
    remarks = []
    if phone.has_others:
        remarks.append(Remark("phone_several", "has more than one number: only the first is used"))
    if phone.has_extension:
        remarks.append(Remark("phone_extension", "has an extension, which couriers cannot dial"))
    if len(set(phone.digits)) == 1 or phone.digits in _SEQUENCES:
        remarks.append(Remark("phone_invented", "looks invented"))
    elif _type_of(phone.digits) == PhoneNumberType.FIXED_LINE:
        remarks.append(
            Remark("phone_landline", "looks like a landline, which gets no text messages")
        )
    return remarks


@functools.lru_cache(maxsize=32)  # the checks of one order ask for the same number in turn
def _parse(text: str) -> Phone | None:
    """Return the number of a text if it has ten digits, whether or not the plan has it."""
    text = plain_digits(text)
    if len(text) > MAX_LENGTH:
        return None
    extension = _EXTENSION.search(text)
    if extension:
        if text[extension.end() :].strip():
            return None
        text = text[: extension.start()]
    first, *others = _SEVERAL.split(text.strip())
    if not all(re.fullmatch(r"[0-9+()\-.\s]{1,20}", other) for other in others):
        return None
    digits = _ten_digits(first)
    if digits is None:
        return None
    return Phone(digits, has_extension=extension is not None, has_others=bool(others))


def _ten_digits(text: str) -> str | None:
    # Letters are refused first, because the library would read them as digits of the keypad.
    found = _PHONE.fullmatch(text)
    if not found:
        return None
    try:
        number = phonenumbers.parse(found[1], "IN")
    except phonenumbers.NumberParseException:
        return None
    digits = str(number.national_number)
    return digits if number.country_code == 91 and 10 <= len(digits) <= 13 else None


@functools.lru_cache(maxsize=32)
def _plan_problem(digits: str) -> str | None:
    """Return why no consignee has the number."""
    if _NO_DELIVERY.match(digits):
        return "is a service number (1800, 1860, 140, 160), which reaches no consignee"
    if len(digits) != 10:
        return "is not a ten-digit Indian phone number"
    if digits == _INVENTED or not phonenumbers.is_valid_number(_number(digits)):
        return "is no number of the Indian numbering plan"
    return None


def _type_of(digits: str) -> int:
    return phonenumbers.number_type(_number(digits))


def _number(digits: str) -> phonenumbers.PhoneNumber:
    return phonenumbers.PhoneNumber(country_code=91, national_number=int(digits))
