"""The short form of `make chaos ARGS=inbox`: everything breaks, and no callback is lost."""

from __future__ import annotations

import secrets

import pytest

from tests.chaos.inbox import InboxChaos

DELIVERIES = 2_000
KILLS = 4


@pytest.mark.slow
def test_every_callback_that_got_a_200_is_applied_once_while_everything_breaks() -> None:
    report = InboxChaos(DELIVERIES, seed=secrets.randbelow(10**6), kills=KILLS).run()
    said = "\n".join(report.lines())
    assert not report.wrong, said
    assert (report.taken, report.missing, report.unprocessed) == (DELIVERIES, 0, 0)
    # It did break: the run proves nothing otherwise.
    assert set(report.kills) == {"web", "worker"}, said
    assert report.refused, said
