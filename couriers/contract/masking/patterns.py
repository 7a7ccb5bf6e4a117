"""Masking personal data in a courier's free text. Pure functions.

A name or an address cannot be recognised in a text, so what a courier writes is for operators and
merchants alone. Consignees see the platform's own words.
"""

from __future__ import annotations

import re

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
_WORD = re.compile(r"\S+")


def mask_text(text: str) -> str:
    """Return the text with phone numbers, long numbers and e-mail addresses masked.

    The same text always gives the same result. What PostgreSQL cannot store is removed, too.
    """
    text = make_storable(text)
    if _AT.search(text):
        text = _WORD.sub(_mask_address, text)
    return _LONG_NUMBER.sub(MASK, text) if _may_have_long_number(text) else text


def has_long_number(text: str) -> bool:
    """Whether mask_text would mask a number of the text."""
    return _may_have_long_number(text) and bool(_LONG_NUMBER.search(text))


def _may_have_long_number(text: str) -> bool:
    """Whether there are digits enough. It is quick, and most texts have few."""
    return len(_DIGIT.findall(text)) >= MIN_DIGITS


def _mask_address(word: re.Match[str]) -> str:
    return MASK if _AT.search(word[0]) else word[0]
