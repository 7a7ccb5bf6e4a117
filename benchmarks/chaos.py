"""A short chaos run: bookings with faults while processes are killed. `make chaos` is the whole."""

from __future__ import annotations

import secrets

from benchmarks.figures import Figure, at_most
from tests.chaos.bookings import BookingChaos

BOOKINGS = 400
KILLS = 6


def run() -> list[Figure]:
    """Book while processes are killed and both servers restarted, and compare with the courier."""
    report = BookingChaos(BOOKINGS, secrets.randbelow(10**6), KILLS).run()
    print("\n".join(report.lines()))
    what = f"chaos, {BOOKINGS} bookings with {report.courier} (of 10,000 by `make chaos`)"
    return [
        at_most(f"{what}: duplicates", report.duplicates, 0, "", 0),
        at_most("— lost", report.lost, 0, "", 0),
        at_most("— doubts that are not settled", report.unsettled, 0, "", 0),
        Figure("— faults, kills, restarts", f"{report.faults}, {report.kills.total()}, "
               f"{report.restarts.total()}"),
    ]  # fmt: skip
