"""The purge of a million expired callbacks while others come in: what it does to their latency."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
import uuid

from benchmarks.inbox import EVENTS, SECRET, execute, fill, new_account, servers
from benchmarks.load import Measured, Task, measure
from couriers.models import CourierAccount
from shipcrowd.stack import Stack
from webhooks.models import WebhookEvent

EXPIRED = 1_000_000
CONNECTIONS = 10
SECONDS = 4.0
QUIET_ROUNDS = 5
BUDGET = 2.0


def run() -> bool:
    """Print the 99th percentile of ingest before, while and after the purge runs."""
    account = new_account()
    fill(account, 0, EXPIRED, days_old=100)
    with Stack(servers(), {"LOG_LEVEL": "ERROR"}) as stack:
        stack.start_web(workers=2, threads=8)
        stack.until_ready()
        _round(stack, account)
        quiet = [_round(stack, account) for _ in range(QUIET_ROUNDS)]
        started = time.perf_counter()
        purge = subprocess.Popen(
            [sys.executable, "manage.py", "purge_expired", "--json"], stdout=subprocess.DEVNULL
        )
        busy = []
        while purge.poll() is None:
            busy.append(_round(stack, account))
        took = time.perf_counter() - started
        # The last round saw its end.
        busy = busy[:-1] or busy
        quiet += [_round(stack, account) for _ in range(QUIET_ROUNDS)]
    left = WebhookEvent.objects.filter(topic="track_updated", state="processed").count()
    before, during = _middle(quiet), _middle(busy)
    rate = statistics.median(one.rate for one in busy)
    print(
        f"purge: {EXPIRED:,} expired events deleted in {took:.0f} s ({left} left) while {rate:.0f} "
        f"came in a second; p99 of ingest {before:.1f} ms → {during:.1f} ms, "
        f"{during / before:.2f} times (≤ {BUDGET:.0f})"
    )
    execute(f"TRUNCATE {EVENTS}")
    return purge.returncode == 0 and left == 0 and during <= BUDGET * before


def _round(stack: Stack, account: CourierAccount) -> Measured:
    path, prefix = account.webhook_path, uuid.uuid4().hex[:8]
    found = measure(Task(stack.port, path, SECRET, CONNECTIONS, SECONDS, prefix))
    if found.wrong:
        raise RuntimeError(f"{found.wrong} callbacks were not taken in")
    return found


def _middle(rounds: list[Measured]) -> float:
    """The median of the rounds' 99th percentiles, in milliseconds."""
    return statistics.median(one.p99 for one in rounds)
