"""A short run of `make chaos ARGS=inbox`: no callback is lost while failures are injected."""

from __future__ import annotations

import secrets

import pytest

from tests.chaos.inbox import InboxChaos
from tests.support.nginx import needs_nginx
from tests.support.worker import own_servers

DELIVERIES = 2_000
KILLS = 4


@needs_nginx
@pytest.mark.slow
def test_every_callback_that_got_a_200_is_applied_once_while_everything_fails(
    transactional_db: None,
) -> None:
    run = InboxChaos(DELIVERIES, seed=secrets.randbelow(10**6), kills=KILLS)
    run.migrated = own_servers().database_url
    report = run.run()
    text = "\n".join(report.lines())
    assert not report.wrong, text
    assert (report.accepted, report.missing, report.unprocessed) == (DELIVERIES, 0, 0), text
    # Without failures the run would prove nothing.
    assert set(report.kills) == {"web", "worker"}, text
    assert report.failures, text
