"""The short form of `make chaos`: everything breaks, and every order is booked once."""

from __future__ import annotations

import secrets

import pytest

from couriers.booking.steps import Step
from tests.chaos.run import Chaos

BOOKINGS = 400
KILLS = 8


@pytest.mark.slow
def test_every_order_is_booked_once_while_everything_breaks() -> None:
    report = Chaos(BOOKINGS, seed=secrets.randbelow(10**6), kills=KILLS).run()
    said = "\n".join(report.lines())
    assert not report.wrong, said
    assert (report.booked, report.duplicates, report.lost, report.ghosts) == (BOOKINGS, 0, 0, 0)
    # It did break: the run proves nothing otherwise.
    assert set(report.kills) == {*Step, "web", "worker"}, said
    assert report.injected_unknown > BOOKINGS * 0.03, said
