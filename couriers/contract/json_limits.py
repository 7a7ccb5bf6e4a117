"""Limits of JSON from outside: how deeply it may be nested, and what PostgreSQL can store.

Pure functions, used by the API's parser and by the inbox of callbacks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from couriers.contract.text import is_storable

# Levels of objects and lists. A request needs fewer than ten. A thousand exhaust Python's stack.
MAX_DEPTH = 100


def nesting_depth(data: Any) -> int:
    """Return how many levels of objects and lists a parsed object or list has."""
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


def json_problem(data: Any) -> str | None:
    """Return why parsed JSON cannot be stored or sent back, or None."""
    if isinstance(data, (dict, list)) and nesting_depth(data) > MAX_DEPTH:
        return f"is nested more than {MAX_DEPTH} levels deep"
    for value in _values(data):
        if isinstance(value, str) and not is_storable(value):
            return "contains NUL or half of a surrogate pair"
        if isinstance(value, float) and not math.isfinite(value):
            return "contains a number that is too large"
    return None


def _values(data: Any) -> Iterator[Any]:
    """Yield all strings, numbers, booleans and nulls, and the names of all fields."""
    remaining = [data]
    while remaining:
        value = remaining.pop()
        if isinstance(value, dict):
            remaining += value
            remaining += value.values()
        elif isinstance(value, list):
            remaining += value
        else:
            yield value
