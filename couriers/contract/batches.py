"""Splits ids into what one call of a courier takes. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T", bound=Hashable)


def batches(ids: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield each id once, in the order given, at most `size` at a time."""
    left = list(dict.fromkeys(ids))
    for start in range(0, len(left), size):
        yield left[start : start + size]
