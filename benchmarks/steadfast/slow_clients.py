"""Slow clients, and the spread of kept connections, with the web servers of compose and the demo.

For each way to stall, 200 connections are held while others ask /healthz and send signed callbacks;
the figure is the slowest answer. Then ten kept connections send requests, in twenty runs; the
figure is the largest share that one of the two processes answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.inbox import account_with_secret, current_servers, empty_inbox
from shipcrowd.stack import Stack
from tests.support.callbacks import SECRET, callback_path
from tests.support.kept_connections import CONNECTIONS, busiest_share
from tests.support.slow_clients import CLIENTS, STALLS, Latency, measure_others, stalled

SERVERS = {"demo": Stack.start_demo_web, "compose": Stack.start_web}
BUDGET = 1.0  # seconds
SPREAD_RUNS = 20
SPREAD_BUDGET = 0.8


def run() -> bool:
    """Print the figures of both servers; return whether the budgets hold."""
    empty_inbox()
    account = account_with_secret()
    account.webhook_secret = SECRET
    account.save()
    path = callback_path(account)
    passed = True
    for name in SERVERS:
        with _started(name) as stack:
            for stall in STALLS:
                with stalled(stack.port, stall, path):
                    latency = measure_others(stack.port, path, stall)
                print(_line(name, stall, latency), flush=True)
                passed &= max(latency.healthz, latency.callback) < BUDGET
            if name == "compose":
                passed &= _spread(stack)
        empty_inbox()
    return passed


@contextmanager
def _started(name: str) -> Iterator[Stack]:
    with Stack(current_servers(), {"LOG_LEVEL": "ERROR"}) as stack:
        SERVERS[name](stack, "tests.support.seen_by_app")
        stack.wait_until_ready()
        yield stack


def _line(name: str, stall: str, latency: Latency) -> str:
    return (
        f"slow clients, {name}: {CLIENTS} connections, {stall}: /healthz "
        f"{latency.healthz:.3f} s, callback {latency.callback:.3f} s (< {BUDGET:g})"
    )


def _spread(stack: Stack) -> bool:
    shares = [busiest_share(stack.port) for _ in range(SPREAD_RUNS)]
    print(
        f"spread: {CONNECTIONS} kept connections, {SPREAD_RUNS} runs: the busiest of two processes "
        f"answers {min(shares):.0%} to {max(shares):.0%} (≤ {SPREAD_BUDGET:.0%})"
    )
    return max(shares) <= SPREAD_BUDGET
