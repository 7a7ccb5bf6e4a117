"""The system check of FERNET_KEYS' strength, which `check --deploy` runs.

Whoever has a copy of the database can try keys on it as fast as a computer can, so a key must be
one that nobody can guess: 32 random bytes, as text. Any text is taken as a key, so its randomness
is estimated from how it looks. The check shows no part of a key.
"""

from __future__ import annotations

import math
import re
import zlib
from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

BITS = 256  # of 32 random bytes
# How large the alphabet of a text is, by the first of these that matches it.
_ALPHABETS = (
    (re.compile(r"[0-9]+"), 10),
    (re.compile(r"[0-9a-f]+|[0-9A-F]+"), 16),
    (re.compile(r"[a-z]+|[A-Z]+"), 26),
    (re.compile(r"[0-9a-z]+|[0-9A-Z]+"), 36),
    (re.compile(r"[0-9A-Za-z]+"), 62),
    (re.compile(r"[0-9A-Za-z_-]+|[0-9A-Za-z+/]+"), 64),
)
_PRINTABLE = 94
# A random text has at least this share of the distinct characters that are to be expected. Of
# 100,000 random keys none had less.
_MIN_DISTINCT = 0.6
_ZLIB_BYTES = 8  # that zlib adds to any text
# What examples and defaults are called.
_PLACEHOLDER = re.compile(
    r"change.?me|changeit|default|example|insecure|password|replace.?me|secret"
)


def weakness(key: str) -> str | None:
    """Return why a text is not 32 random bytes, as a predicate: "is …", or None."""
    text = key.strip().rstrip("=")  # the padding of base64
    if _PLACEHOLDER.search(text.casefold()):
        return "is an example or a default"
    alphabet = next((size for form, size in _ALPHABETS if form.fullmatch(text)), _PRINTABLE)
    if len(text) * math.log2(alphabet) < BITS:
        needed = math.ceil(BITS / math.log2(alphabet))
        return (
            f"is too short: it has {len(text)} characters of a kind of which 32 bytes need {needed}"
        )
    expected = alphabet * (1 - (1 - 1 / alphabet) ** len(text))
    compressed = len(zlib.compress(text.encode(), 9)) - _ZLIB_BYTES
    if len(set(text)) < _MIN_DISTINCT * expected or compressed * 8 < BITS:
        return "is not random: it repeats itself, or has few different characters"
    return None


@register(deploy=True)
def check_key_strength(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """couriers.E020: one of FERNET_KEYS can be guessed, stands twice or has another use."""
    keys = getattr(settings, "FERNET_KEYS", None)
    if not isinstance(keys, (list, tuple)) or not all(isinstance(key, str) for key in keys):
        return []  # couriers.E003
    example = Fernet.generate_key().decode()
    return [
        Error(
            f"FERNET_KEYS[{position}] {problem}",
            hint="Put a new key in front, which is 32 random bytes, such as "
            f"{example!r}; run `manage.py rotate_keys`, and then drop this one.",
            id="couriers.E020",
        )
        for position, key in enumerate(keys)
        if (problem := _problem(keys, position, key))
    ]


def _problem(keys: Any, position: int, key: str) -> str | None:
    if key in keys[:position]:
        return f"is FERNET_KEYS[{keys.index(key)}] again"
    if key == getattr(settings, "SECRET_KEY", None):
        return "is SECRET_KEY, which is to have no other use"
    return weakness(key)
