"""The go and no-go figures of a canary: their defaults, and reading other ones from a command."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass

_SHARES = ("min_success_rate", "min_sync_rate", "max_doubt_share")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What a canary must reach to be a go. Rates and shares are 0 to 1.

    The first four say how much must be known for a judgement.
    """

    min_bookings: float = 50
    min_hours: float = 20  # since the first booking: a day, less the hours before its first order
    min_callbacks: float = 20
    min_due: float = 1  # shipments that are due for news (news.py)
    min_success_rate: float = 0.95
    max_booking_p95: float = 2.0  # seconds, of the courier's create call
    max_callback_p95: float = 5.0  # seconds, from a callback's receipt until it was applied
    max_doubts: float = 5
    max_doubt_age: float = 900  # seconds
    max_doubt_share: float = 0.01
    max_duplicates: float = 0
    max_refused_accounts: float = 0
    max_dead_letters: float = 0
    min_sync_rate: float = 0.98
    max_alerts: float = 0


class UnusableThreshold(ValueError):
    """A threshold that cannot be used. The message names it."""


def thresholds_from(given: Iterable[str]) -> Thresholds:
    """Return the defaults with the given `name=value` in their place.

    Raises UnusableThreshold for a name that does not exist or stands twice, and for a value that is
    no number, is negative, or is a share above 1.
    """
    known = [field.name for field in dataclasses.fields(Thresholds)]
    values: dict[str, float] = {}
    for pair in given:
        name, equals, text = pair.partition("=")
        if not equals or name not in known:
            raise UnusableThreshold(f"{pair!r} is no NAME=VALUE with one of {', '.join(known)}")
        if name in values:
            raise UnusableThreshold(f"{name} stands twice")
        values[name] = _number(name, text)
    return Thresholds(**values)


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    most = 1 if name in _SHARES else 1e9
    if not 0 <= value <= most:
        raise UnusableThreshold(f"{name} must be a number from 0 to {most:g}, not {text!r}")
    return value
