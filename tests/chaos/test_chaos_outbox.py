"""A short run of `make chaos ARGS=outbox`: a merchant is told every change, once by its id."""

from __future__ import annotations

import secrets

import pytest

from tests.chaos.outbox import OutboxChaos
from tests.chaos.receiver import FAILURES
from tests.support.nginx import needs_nginx
from tests.support.worker import own_servers

CHANGES = 360
KILLS = 4


@needs_nginx
@pytest.mark.slow
def test_every_change_is_told_in_order_and_none_is_invented_while_everything_fails(
    transactional_db: None,
) -> None:
    run = OutboxChaos(CHANGES, seed=secrets.randbelow(10**6), kills=KILLS)
    run.migrated = own_servers().database_url
    report = run.run()
    text = "\n".join(report.lines())
    assert not report.wrong, text
    assert report.changes >= CHANGES, text
    assert (report.lost, report.invented, report.disordered) == (0, 0, 0), text
    # Without failures the run would prove nothing.
    assert set(report.kills) == {"web", "worker", "beat"}, text
    assert set(report.failures) == set(FAILURES), text
