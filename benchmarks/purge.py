"""Purging a million expired callbacks during ingest: how much slower ingest becomes."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
import uuid

from benchmarks.figures import Figure, at_most
from benchmarks.inbox import (
    SECRET,
    account_with_secret,
    current_servers,
    empty_inbox,
    insert_processed_events,
)
from benchmarks.load import LoadResult, LoadTask, measure
from couriers.models import CourierAccount
from shipcrowd.stack import Stack
from tests.support.callbacks import callback_path
from webhooks.models import WebhookEvent

EXPIRED = 1_000_000
CONNECTIONS = 10
SECONDS = 3.0  # of one round
QUIET_ROUNDS = 3  # before the purge, and again after it
BUDGET = 2.0  # the most by which the 99th percentile may grow


def run() -> list[Figure]:
    """Compare the 99th percentile of ingest without and with the purge."""
    empty_inbox()
    account = account_with_secret()
    insert_processed_events(account, 0, EXPIRED, days_old=100)
    with Stack(current_servers(), {"LOG_LEVEL": "ERROR"}) as stack:
        stack.start_web()
        stack.wait_until_ready()
        _round(stack, account)
        quiet = [_round(stack, account) for _ in range(QUIET_ROUNDS)]
        started = time.perf_counter()
        purge = subprocess.Popen(
            [sys.executable, "manage.py", "purge_expired", "--json"], stdout=subprocess.DEVNULL
        )
        during = []
        while purge.poll() is None:
            during.append(_round(stack, account))
        seconds = time.perf_counter() - started
        # The purge ended within the last round, so that one does not count if there are others.
        during = during[:-1] or during
        quiet += [_round(stack, account) for _ in range(QUIET_ROUNDS)]
    left = WebhookEvent.objects.filter(topic="track_updated", state="processed").count()
    quiet_p99, purge_p99 = _median_p99(quiet), _median_p99(during)
    rate = statistics.median(one.rate for one in during)
    empty_inbox()
    if purge.returncode or left:
        raise RuntimeError(f"the purge left {left} events, exit code {purge.returncode}")
    return [
        at_most(
            f"purge {EXPIRED:,} expired events during ingest: growth of ingest's p99",
            purge_p99 / quiet_p99, BUDGET, "times",
        ),
        Figure("— p99 of ingest", f"{quiet_p99:.1f} ms → {purge_p99:.1f} ms"),
        Figure("— the purge took", f"{seconds:.0f} s, ingest at {rate:.0f}/s meanwhile"),
    ]  # fmt: skip


def _round(stack: Stack, account: CourierAccount) -> LoadResult:
    path, prefix = callback_path(account), uuid.uuid4().hex[:8]
    result = measure(LoadTask(stack.port, path, SECRET, CONNECTIONS, SECONDS, prefix))
    if result.errors:
        raise RuntimeError(f"{result.errors} callbacks were refused")
    return result


def _median_p99(rounds: list[LoadResult]) -> float:
    """Return the median of the rounds' 99th percentiles in milliseconds."""
    return statistics.median(one.p99 for one in rounds)
