"""A client that is slow, or lies about what it sends, delays nobody else.

Both web servers are tried: that of `make demo`, and that of docker-compose.yml.
"""

from __future__ import annotations

import http.client
import json
import re
import runpy
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipcrowd import demo_server
from shipcrowd.stack import Stack
from tests.support.callbacks import SECRET, callback_path
from tests.support.factories import CourierAccountFactory
from tests.support.kept_connections import busiest_share
from tests.support.nginx import needs_nginx
from tests.support.seen_headers import ADDRESS
from tests.support.slow_clients import ROUNDS, STALLS, measure_others, stalled
from tests.support.worker import own_servers
from webhooks.models import WebhookEvent

ROOT = Path(__file__).resolve().parents[2]
BUDGET = 1.0  # seconds
LOAD_BALANCER = 60  # seconds that one usually keeps an idle connection
# Lengths that no body has, and how each is refused: as too long, or as no length.
LENGTHS = {
    str(7 * 1024**2): 413,
    str(10**18): 413,
    "-1": 400,
    "1e3": 400,
    "0x10": 400,
    "ten": 400,
    "9" * 30: None,  # nginx says 400, since it is beyond 64 bits
}
FORGED = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https", "X-Real-IP": "192.0.2.7"}


@pytest.fixture(
    params=[
        pytest.param("start_demo_web", id="demo"),
        pytest.param("start_web", id="compose", marks=needs_nginx),
    ]
)
def stack(request: pytest.FixtureRequest, transactional_db: None) -> Iterator[Stack]:
    with Stack(own_servers(), {"LOG_LEVEL": "ERROR"}) as stack:
        getattr(stack, request.param)("tests.support.seen_by_app")
        stack.wait_until_ready()
        yield stack


@pytest.mark.slow
def test_slow_and_lying_clients_delay_nobody(stack: Stack, subtests: pytest.Subtests) -> None:
    """One start of each server for all of it, because the start takes most of the time."""
    path = callback_path(CourierAccountFactory(webhook_secret=SECRET))
    kept = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=10)
    first, began = ask_health(kept), time.monotonic()
    for stall in STALLS:
        with subtests.test(stall), stalled(stack.port, stall, path):
            latency = measure_others(stack.port, path, stall)
            assert max(latency.healthz, latency.callback) < BUDGET
    assert WebhookEvent.objects.count() == ROUNDS * len(STALLS)
    for length, status in LENGTHS.items():
        for target in ("/api/v1/shipments/", path):
            with subtests.test("absurd length", length=length, target=target):
                check_length(stack.port, target, length, status)
    with subtests.test("kept connections"):
        # gunicorn's own default is two seconds.
        time.sleep(max(0.0, began + 2.5 - time.monotonic()))
        assert ask_health(kept) is first is not None
    kept.close()
    with subtests.test("forged address"):
        check_forged_address(stack)


def check_length(port: int, target: str, length: str, status: int | None) -> None:
    """A length that no body has is refused at once, before any of the body is sent."""
    head = f"POST {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n\r\n"
    started = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(head.encode())
        answer = client.recv(65536)
    assert time.perf_counter() - started < BUDGET
    assert int(answer.split()[1]) in ([status] if status else [400, 413])


def ask_health(connection: http.client.HTTPConnection) -> socket.socket | None:
    """Ask /healthz and return the socket that it was asked by."""
    connection.request("GET", "/healthz")
    used = connection.sock
    assert json.loads(connection.getresponse().read()) == {"status": "ok"}
    return used


def check_forged_address(stack: Stack) -> None:
    """The application sees the client's own address, whatever the client says of itself."""
    seen = stack.request("GET", "/healthz", headers=FORGED).headers[ADDRESS]
    assert seen in ("127.0.0.1; ; ", "; 127.0.0.1; http")


@needs_nginx
@pytest.mark.slow
def test_kept_connections_are_spread_over_both_processes(transactional_db: None) -> None:
    """`make bench ARGS=steadfast` makes twenty runs."""
    with Stack(own_servers(), {"LOG_LEVEL": "ERROR"}) as stack:
        stack.start_web("tests.support.seen_by_app")
        stack.wait_until_ready()
        assert busiest_share(stack.port) <= 0.8


def test_idle_connections_are_kept_for_longer_than_a_load_balancer_keeps_them() -> None:
    nginx = (ROOT / "deploy" / "nginx" / "nginx.conf").read_text()
    (kept_by_nginx,) = re.findall(r"^ +keepalive_timeout (\d+)s;$", nginx, re.MULTILINE)
    gunicorn = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
    for seconds in (
        int(kept_by_nginx), gunicorn["keepalive"], demo_server.SETTINGS["channel_timeout"],
    ):  # fmt: skip
        assert seconds > LOAD_BALANCER
