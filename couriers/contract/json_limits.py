"""What JSON from outside may hold: no more levels than are read, nothing that cannot be stored.

Pure. The API's parser and the inbox of callbacks share it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from couriers.contract.text import storable

# Levels of objects and lists. Nobody needs ten; a thousand exhaust the interpreter's stack.
DEEPEST = 100


def depth_of(data: Any) -> int:
    """How many levels of objects and lists a parsed object or list has."""
    depth, level = 0, [data]
    while level:
        depth += 1
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
    return depth


def complaint_of(data: Any) -> str:
    """What in parsed JSON could be neither stored nor sent back; empty when all is well."""
    if isinstance(data, (dict, list)) and depth_of(data) > DEEPEST:
        return f"is nested more than {DEEPEST} levels deep"
    for value in _values(data):
        if isinstance(value, str) and storable(value) != value:
            return "contains NUL or half of a surrogate pair"
        if isinstance(value, float) and not math.isfinite(value):
            return "contains a number that is too large"
    return ""


def _values(data: Any) -> Iterator[Any]:
    """Every plain value, the names of fields among them."""
    found = [data]
    while found:
        value = found.pop()
        if isinstance(value, dict):
            found += value
            found += value.values()
        elif isinstance(value, list):
            found += value
        else:
            yield value
