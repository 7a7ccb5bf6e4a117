"""How long the work at hand may wait before it sends a call: for a turn, and before a retry.

An API request holds a thread of the web server, so all its waits together last at most
API_LIMITER_WAIT seconds. Bulk work has threads of its own and waits longer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

from couriers.conf import tunables

# Seconds that bulk work waits at once at most.
MAX_LONG_WAIT = 30.0


@dataclass(frozen=True, slots=True)
class _Allowance:
    """What the work at hand may wait. It is immutable, so a copy of the context has its own."""

    seconds: float
    is_sum: bool


_allowance: ContextVar[_Allowance | None] = ContextVar("couriers_waits", default=None)


@contextmanager
def allow_long_waits(seconds: float | None = None) -> Iterator[None]:
    """Let each wait inside the block last so many seconds, as bulk work does; or MAX_LONG_WAIT."""
    longest_wait = MAX_LONG_WAIT if seconds is None else seconds
    token = _allowance.set(_Allowance(longest_wait, is_sum=False))
    try:
        yield
    finally:
        _allowance.reset(token)


@contextmanager
def limit_sum() -> Iterator[None]:
    """Let all waits inside the block last API_LIMITER_WAIT seconds together.

    A block inside another one shares the outer one's seconds, or its long waits.
    """
    if _allowance.get() is not None:
        yield
        return
    token = _allowance.set(_Allowance(tunables().API_LIMITER_WAIT, is_sum=True))
    try:
        yield
    finally:
        _allowance.reset(token)


def longest() -> float:
    """Return the seconds that the next wait may last.

    Outside both blocks each wait may last API_LIMITER_WAIT seconds.
    """
    allowance = _allowance.get()
    return tunables().API_LIMITER_WAIT if allowance is None else allowance.seconds


def shorten(seconds: float) -> float:
    """Return how long a wait that lasts `seconds` at most may last inside the two blocks."""
    return seconds if _allowance.get() is None else min(seconds, longest())


def spend(seconds: float) -> None:
    """Note a wait, which shortens the later ones inside `limit_sum()`."""
    allowance = _allowance.get()
    if allowance is not None and allowance.is_sum:
        _allowance.set(replace(allowance, seconds=max(0.0, allowance.seconds - seconds)))


def are_long() -> bool:
    """Return whether bulk work is at hand, which has threads of its own."""
    allowance = _allowance.get()
    return allowance is not None and not allowance.is_sum
