"""The deadline of a booking: no request is sent to the courier after it.

It is `max_create_seconds` before the end of the booking's lease. A request sent later could arrive
after an operator has released the order, and book it twice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.utils import timezone

from couriers.contract.errors import TimeIsUp

_deadline: ContextVar[dt.datetime | None] = ContextVar("couriers_booking_deadline", default=None)


@contextmanager
def send_only_before(moment: dt.datetime) -> Iterator[None]:
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
    left = (deadline - timezone.now()).total_seconds()
    if left <= 0:
        raise TimeIsUp("the time for this booking's calls is over; nothing was sent", retry_after=1)
    return left


def check() -> None:
    """Raise TimeIsUp once the deadline has passed."""
    seconds_left()
