"""A short run of `make chaos`: every order is booked once while failures are injected."""

from __future__ import annotations

import secrets

import pytest

from couriers.booking.steps import Step
from tests.chaos.bookings import BookingChaos
from tests.support.nginx import needs_nginx

BOOKINGS = 400
KILLS = 8


@needs_nginx
@pytest.mark.slow
def test_every_order_is_booked_once_while_everything_fails() -> None:
    report = BookingChaos(BOOKINGS, seed=secrets.randbelow(10**6), kills=KILLS).run()
    text = "\n".join(report.lines())
    assert not report.wrong, text
    assert (report.booked, report.duplicates, report.lost) == (BOOKINGS, 0, 0), text
    assert report.unknown_to_courier == 0, text
    # Without failures the run would prove nothing.
    assert set(report.kills) == {*Step, "web", "worker"}, text
    assert report.injected_unknown > BOOKINGS * 0.03, text
