"""India time, in which couriers count days."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

INDIA = ZoneInfo("Asia/Kolkata")


def today() -> dt.date:
    """The present day in India."""
    return dt.datetime.now(INDIA).date()
