"""Draws of chance that are always the same for the same words."""

from __future__ import annotations

import hashlib


def draw(*words: object) -> float:
    """A number from 0 up to 1, evenly spread over different words."""
    digest = hashlib.sha256(":".join(map(str, words)).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48
