"""The deadline of a booking: no request is sent to the courier after it.

It is `max_create_seconds` before the end of the booking's lease. A request sent later could arrive
after an operator has released the order, and book it twice.

A deadline passes by two clocks, whichever is first. The monotonic clock goes on where the machine's
time is set back, and the machine's time goes on where the machine was suspended.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.utils import timezone

from couriers.contract.errors import TimeIsUp


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock, in seconds, and on the machine's clock."""

    monotonic: float
    time: dt.datetime

    def seconds_left(self) -> float:
        """Return the seconds until the deadline, 0 or less once it has passed."""
        left = (self.time - timezone.now()).total_seconds()
        return min(left, self.monotonic - time.monotonic())


_deadline: ContextVar[Deadline | None] = ContextVar("couriers_booking_deadline", default=None)


def after(seconds: float) -> Deadline:
    """Return the deadline that is `seconds` from now."""
    return Deadline(time.monotonic() + seconds, timezone.now() + dt.timedelta(seconds=seconds))


@contextmanager
def send_only_before(moment: Deadline) -> Iterator[None]:
    """Make `moment` the deadline of all requests inside the block."""
    token = _deadline.set(moment)
    try:
        yield
    finally:
        _deadline.reset(token)


def seconds_left() -> float | None:
    """Return the seconds until the deadline, or None where there is no deadline.

    Raises TimeIsUp once the deadline has passed.
    """
    deadline = _deadline.get()
    if deadline is None:
        return None
    left = deadline.seconds_left()
    if left <= 0:
        raise TimeIsUp("the time for this booking's calls is over; nothing was sent", retry_after=1)
    return left


def check() -> None:
    """Raise TimeIsUp once the deadline has passed."""
    seconds_left()
