"""Ekart's words for people, in a form that may be stored, logged and shown. Pure."""

from __future__ import annotations

import re
from typing import Any

from couriers.contract.text import storable

LONGEST = 500
_LONG_NUMBER = re.compile(r"\+?\d[\d\s-]{8,}\d")


def clean(words: str) -> str:
    """The words without long numbers and what PostgreSQL cannot store, 500 characters at most.

    Ekart quotes what it refuses: a consignee's phone must not travel on in an error.
    """
    return _LONG_NUMBER.sub("…", storable(words))[:LONGEST]


def words_of(body: Any) -> str:
    """What an answer says to people, clean: its description, remark or message, or nothing."""
    if not isinstance(body, dict):
        return ""
    said = (body.get(key) for key in ("description", "remark", "message"))
    return clean(next((text for text in said if isinstance(text, str) and text), ""))
