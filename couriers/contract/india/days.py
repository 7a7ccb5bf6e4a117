"""Days in India: orders, invoices and pickups use them."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from django.utils import timezone

IST = ZoneInfo("Asia/Kolkata")


def today() -> dt.date:
    """Return today's date in India. Orders, invoices and pickups use it."""
    return timezone.now().astimezone(IST).date()


def day_span(day: dt.date) -> tuple[dt.datetime, dt.datetime]:
    """Return the start of a day in India and the start of the next day.

    For the last day of the calendar, its last microsecond is returned instead of the next day.
    """
    start = dt.datetime.combine(day, dt.time(), IST)
    if day == dt.date.max:
        return start, dt.datetime.combine(day, dt.time.max, IST)
    return start, start + dt.timedelta(days=1)
