"""Characters that a text from outside may hold. Pure."""

from __future__ import annotations

import re

# C0 and C1 controls, marks without width, marks that change the direction, half surrogates.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def has_control_characters(text: str) -> bool:
    """Whether a text holds invisible characters, or some that hide or reorder others."""
    return bool(_UNPRINTABLE.search(text))


def storable(text: str) -> str:
    """The text without what PostgreSQL cannot store: NUL and halves of surrogate pairs."""
    if text.isascii():
        return text.replace("\x00", "")
    return text.encode("utf-8", "replace").decode().replace("\x00", "")
