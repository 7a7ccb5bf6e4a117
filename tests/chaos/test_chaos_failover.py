"""A short run of `make chaos ARGS=failover`: each order is at one courier, whatever fails."""

from __future__ import annotations

import secrets

import pytest

from couriers.booking.steps import Step
from tests.chaos.bookings import BookingChaos
from tests.chaos.couriers import REAL
from tests.support.nginx import needs_nginx
from tests.support.worker import own_servers

BOOKINGS = 150
KILLS = 8


@needs_nginx
@pytest.mark.slow
def test_every_order_is_at_one_courier_or_nowhere_and_told_so_while_everything_fails(
    transactional_db: None,
) -> None:
    couriers = list(REAL.values())
    run = BookingChaos(BOOKINGS, secrets.randbelow(10**6), KILLS, couriers)
    run.migrated = own_servers().database_url
    report = run.run()
    text = "\n".join(report.lines())
    assert not report.wrong, text
    assert report.booked + report.refused == BOOKINGS, text
    assert (report.duplicates, report.at_two_couriers, report.lost) == (0, 0, 0), text
    assert report.unknown_to_courier == 0, text
    # Without failures the run would prove nothing.
    assert set(report.kills) == {*Step, "web", "worker"}, text
    assert set(report.booked_by) == set(REAL), text
    assert report.injected_unknown >= 3, text
    assert report.failed_over, text
