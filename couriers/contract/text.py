"""Checks of the characters in texts from outside. Pure functions."""

from __future__ import annotations

import re

# C0 and C1 controls, zero-width characters, marks of writing direction, lone surrogates.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def has_control_characters(text: str) -> bool:
    """Whether a text has invisible characters, or characters that hide or reorder others."""
    return bool(_UNPRINTABLE.search(text))


def make_storable(text: str) -> str:
    """Remove NUL and replace lone surrogates by `?`, because PostgreSQL can store neither."""
    if text.isascii():
        return text.replace("\x00", "")
    return text.encode("utf-8", "replace").decode().replace("\x00", "")


def is_storable(text: str) -> bool:
    """Whether PostgreSQL can store the text as it is."""
    return make_storable(text) == text
