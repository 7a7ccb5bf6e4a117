"""Until when a booking may be sent: long enough before its reservation can be given up.

A call that left after that could arrive when an operator has released the order already.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.utils import timezone

from couriers.contract.errors import TimeIsUp

_moment: ContextVar[dt.datetime | None] = ContextVar("couriers_sent_before", default=None)


@contextmanager
def sent_before(moment: dt.datetime) -> Iterator[None]:
    """Inside, nothing goes to the courier from that moment on."""
    token = _moment.set(moment)
    try:
        yield
    finally:
        _moment.reset(token)


def seconds_left() -> float | None:
    """How long something may still be sent, or None where there is no such moment.

    Raises TimeIsUp once it is past.
    """
    moment = _moment.get()
    if moment is None:
        return None
    left = (moment - timezone.now()).total_seconds()
    if left <= 0:
        raise TimeIsUp("the time for this booking's calls is over; nothing was sent", retry_after=1)
    return left
