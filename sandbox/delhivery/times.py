"""Times as Delhivery writes them: India time without a zone, with none to three decimals. Pure."""

from __future__ import annotations

import datetime as dt

from sandbox.india import INDIA


def stamp(time_ms: int) -> str:
    """A time in milliseconds since the epoch, such as 2026-11-23T23:56:59.57."""
    seconds, milliseconds = divmod(time_ms, 1000)
    whole = dt.datetime.fromtimestamp(seconds, INDIA).strftime("%Y-%m-%dT%H:%M:%S")
    decimals = f"{milliseconds:03d}".rstrip("0")
    return f"{whole}.{decimals}" if decimals else whole


def whole_stamp(time_ms: int) -> str:
    """The same to the second."""
    return stamp(time_ms // 1000 * 1000)
