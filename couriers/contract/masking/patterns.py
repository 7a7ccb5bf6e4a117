"""Masking what looks like personal data in a courier's free text. Pure functions.

A name or an address cannot be recognised in a text, so what a courier writes is for operators and
merchants alone. Consignees see the platform's own words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from couriers.contract.text import make_storable

MASK = "•••"
# Characters that people write between the digits of a phone number, and invisible ones.
_BETWEEN = "[\\s().,/_\u2010-\u2015\u200b-\u200f\u2060\ufeff-]{0,3}"
# Ten digits or more as they are written in phone numbers, or eight without anything between. `\d`
# matches the digits of every script.
_LONG_NUMBER = re.compile(rf"[+(]{{0,2}}\d(?:{_BETWEEN}\d){{9,}}|\d{{8,}}")
_DIGIT = re.compile(r"\d")
MIN_DIGITS = 8  # of the shortest number that is masked
_AT = re.compile("[@\uff20]")
_LETTER = re.compile(r"\w")
_WORD = re.compile(r"\S+")


def mask_text(text: str, keep: Iterable[str] = ()) -> str:
    """Return the text with phone numbers, long numbers and e-mail addresses masked.

    The numbers inside the values `keep` stay: order numbers and tracking ids. The same text always
    gives the same result. What PostgreSQL cannot store is removed, too.
    """
    text = make_storable(text)
    if _AT.search(text):
        text = _WORD.sub(_mask_address, text)
    if not _may_have_long_number(text):
        return text
    kept = [one for one in keep if _may_have_long_number(one)]
    return _LONG_NUMBER.sub(lambda found: found[0] if _is_inside(found, kept) else MASK, text)


def has_long_number(text: str) -> bool:
    """Whether mask_text would mask a number of the text."""
    return _may_have_long_number(text) and bool(_LONG_NUMBER.search(text))


def _may_have_long_number(text: str) -> bool:
    """Whether there are digits enough. It is quick, and most texts have few."""
    return len(_DIGIT.findall(text)) >= MIN_DIGITS


def _is_inside(number: re.Match[str], kept: Iterable[str]) -> bool:
    """Whether the number stands in the text as a whole kept value, or as a part of one."""
    text, (start, end) = number.string, number.span()
    for value in kept:
        place = text.find(value, max(0, end - len(value)), start + len(value))
        if place >= 0 and not _LETTER.match(text, place + len(value)):
            return not (place and _LETTER.match(text, place - 1))
    return False


def _mask_address(word: re.Match[str]) -> str:
    return MASK if _AT.search(word[0]) else word[0]
