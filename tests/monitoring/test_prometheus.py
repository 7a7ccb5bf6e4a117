"""A real Prometheus reads a platform on a bad day: the right alerts fire, and no panel is empty."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sandbox.process import SandboxProcess
from shipcrowd.embedded.processes import wait_until
from shipcrowd.stack import Stack, stop_process
from tests.support.faulty_day import FaultyDay
from tests.support.outbox import Shop
from tests.support.prometheus import Prometheus
from tests.support.promtool import metrics_of, needs_prometheus, queries, rules
from tests.support.tls import server_context
from tests.support.worker import own_servers

pytestmark = [needs_prometheus, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

# What fires on that day, with the label that tells of whom.
FIRING = {
    ("EkartCircuitBreakerOpen", "ekart"), ("EkartRateLimitExceeded", "ekart"),
    ("EkartAuthRefreshFailures", "ekart"), ("EkartSyncSuccessRateLow", "ekart"),
    ("EkartWebhookProcessingFailed", "ekart"), ("BookingInDoubtTooLong", "ekart"),
    ("DuplicateBooking", "ekart"), ("CallbacksRefused", "ekart"), ("CallbacksSilent", "ekart"),
    ("InboxBehind", ""), ("DeadLettersGrowing", ""), ("PlatformNotScraped", "127.0.0.1:9"),
    ("StorefrontEndpointDisabled", ""), ("OutboxBehind", ""),
    ("QueueBehind", "tracking"), ("BeatSilent", ""), ("CertificateExpiring", "127.0.0.1"),
}  # fmt: skip
# It is no fault of the platform if this machine's disk is full.
OF_THE_MACHINE = {"DiskAlmostFull"}


@pytest.fixture
def public_address(tmp_path: Path) -> Iterator[str]:
    """An https address whose certificate ends in ten days; nobody answers behind it."""
    context = server_context(tmp_path, "127.0.0.1", ends_in=dt.timedelta(days=10))
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_shake_hands, args=(server, context), daemon=True).start()
        yield f"https://127.0.0.1:{server.getsockname()[1]}"


def test_the_right_alerts_fire_and_no_query_is_empty(public_address: str, tmp_path: Path) -> None:
    environment = {"METRICS_TOKEN": "a-token", "APP_BASE_URL": public_address}
    with (
        SandboxProcess("ekart", "--hold") as sandbox,
        Shop() as shop,
        Stack(own_servers(), environment) as stack,
    ):
        stack.start_demo_web()
        worker = stack.start_worker()
        stack.wait_until_ready()
        targets = (f"127.0.0.1:{stack.port}", "127.0.0.1:9")
        with Prometheus(tmp_path, targets, environment["METRICS_TOKEN"]) as prometheus:
            # Counts are read before they grow: what is there at the first scrape did not grow.
            assert wait_until(lambda: 1 in prometheus.query('up{job="shipcrowd"}'), 60)
            day = FaultyDay(stack, sandbox, shop)
            day.book()
            day.lose_answers()
            day.refuse_logins()
            day.exceed_a_limit()
            day.book_twice()
            day.break_callbacks()
            stop_process(worker)
            day.stop_work()
            wait_until(lambda: fired(prometheus) >= FIRING, 60)
            assert fired(prometheus) == FIRING
            for alert in prometheus.firing():
                assert alert["annotations"]["runbook_url"].startswith("https://"), alert
            empty = [
                f"{title}: {query}" for title, query in queries()
                if not prometheus.query(_filled_in(query))
            ]  # fmt: skip
            assert empty == []
            names = set().union(*(metrics_of(rule["expr"]) for rule in rules()))
            assert {name for name in names if not prometheus.query(name)} == set()


def fired(prometheus: Prometheus) -> set[tuple[str, str]]:
    """The alerts that fire, with the courier, queue, host or instance that they name."""
    found = set()
    for alert in prometheus.firing():
        labels = alert["labels"]
        whom = [labels[name] for name in ("courier", "queue", "host", "instance") if name in labels]
        if labels["alertname"] not in OF_THE_MACHINE:
            found.add((labels["alertname"], "".join(whom)))
    return found


def _filled_in(query: str) -> str:
    """The query as Grafana sends it, for all couriers and the last five minutes."""
    for variable, value in (("$courier", ".*"), ("$__rate_interval", "5m"), ("$__range", "5m")):
        query = query.replace(variable, value)
    return query


def _shake_hands(server: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        with suppress(OSError):
            connection, _ = server.accept()
            with context.wrap_socket(connection, server_side=True) as tls:
                tls.recv(1)
        if server.fileno() < 0:
            return
