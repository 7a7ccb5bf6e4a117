"""Checks of a request's fields that any courier's rules are made of. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sandbox.errors import Refused


def is_number(value: Any) -> bool:
    """Whether it is a finite number: Python reads NaN and Infinity, which JSON does not have."""
    is_real = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_real and math.isfinite(value)


def is_whole_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_text(value: Any) -> bool:
    """Whether it is a string with more than spaces in it."""
    return isinstance(value, str) and value.strip() != ""


def is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(is_text, value))


def require(condition: bool, description: str) -> None:
    """Raise Refused with this description unless the condition holds."""
    if not condition:
        raise Refused(description)


def require_fields(
    body: Mapping[str, Any], names: Iterable[str], is_valid: Callable[[Any], bool], expected: str
) -> None:
    """Raise Refused unless every named field is there and valid; `expected` says what is valid."""
    for name in names:
        require(name in body, f"{name} is required")
        require(is_valid(body[name]), f"{name} must be {expected}")
