"""Slow clients, and the spread of kept connections, with the web servers of compose and the demo.

For each way to stall, 200 connections are held while others ask /healthz and send signed callbacks;
the figure is the slowest answer. Then ten kept connections send requests, in twenty runs; the
figure is the largest share that one of the two processes answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.figures import Figure, at_most
from benchmarks.inbox import account_with_secret, current_servers, empty_inbox
from shipcrowd.stack import Stack
from tests.support.callbacks import SECRET, callback_path
from tests.support.kept_connections import CONNECTIONS, busiest_share
from tests.support.slow_clients import CLIENTS, STALLS, Latency, measure_others, stalled

SERVERS = {"demo": Stack.start_demo_web, "compose": Stack.start_web}
BUDGET = 1.0  # seconds
SPREAD_RUNS = 20
SPREAD_BUDGET = 0.8


def run() -> list[Figure]:
    """Measure both servers."""
    empty_inbox()
    account = account_with_secret()
    account.webhook_secret = SECRET
    account.save()
    path = callback_path(account)
    figures = []
    for name in SERVERS:
        with _started(name) as stack:
            for stall in STALLS:
                with stalled(stack.port, stall, path):
                    latency = measure_others(stack.port, path, stall)
                figures.append(_figure(name, stall, latency))
            if name == "compose":
                figures.append(_spread(stack))
        empty_inbox()
    return figures


@contextmanager
def _started(name: str) -> Iterator[Stack]:
    with Stack(current_servers(), {"LOG_LEVEL": "ERROR"}) as stack:
        SERVERS[name](stack, "tests.support.seen_by_app")
        stack.wait_until_ready()
        yield stack


def _figure(name: str, stall: str, latency: Latency) -> Figure:
    slowest = max(latency.healthz, latency.callback)
    what = f"{CLIENTS} stalled connections ({stall}), {name}'s web server: others' slowest answer"
    return at_most(what, slowest, BUDGET, "s", 3)


def _spread(stack: Stack) -> Figure:
    share = max(busiest_share(stack.port) for _ in range(SPREAD_RUNS))
    what = f"{CONNECTIONS} kept connections: share of the busiest of two processes"
    return at_most(what, 100 * share, 100 * SPREAD_BUDGET, "%", 0)
