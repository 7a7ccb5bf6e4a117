"""How a dataclass declares tunables, for the platform's and for those of a plug-in."""

from __future__ import annotations

import dataclasses
from typing import TypeVar

N = TypeVar("N", int, float)

# The maximum of a tunable that declares none. This many seconds from now are still a valid date.
MAX_VALUE = 1_000_000_000
BOUNDS = "bounds"
HIDDEN = "hidden"


def bounded(default: N, *, minimum: float, maximum: float = MAX_VALUE) -> N:
    """Declare a numeric tunable with its default and bounds. Without this, the minimum is 0."""
    field: N = dataclasses.field(default=default, metadata={BOUNDS: (minimum, maximum)})
    return field


def hidden_text() -> str:
    """Declare a secret text. A wrong value is not shown, and nobody can guess what replaces it."""
    field: str = dataclasses.field(default="", metadata={HIDDEN: True})
    return field
