"""Polling 100,000 open shipments: the share of the permitted rate, and what a claim reads.

All are due; a courier over HTTP with answers in 200 to 600 ms counts the calls. A sample of the run
is timed, in slices as the task `sync_account` has. The limit is 750 calls in 5 minutes, with the
window a tenth as long: for batches of 50, and for single calls. Without such a limit it shows what
one process stands.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
import time
from collections import Counter

from django.db import transaction
from django.utils import timezone

from benchmarks.accounts import create_account
from benchmarks.figures import Figure, at_least, at_most
from benchmarks.inbox import vacuum
from couriers import tasks
from couriers.conf import tunables
from couriers.contract.types import Limit
from couriers.models import Courier, CourierAccount, Shipment
from couriers.tracking import polling
from couriers.tracking.polling import Polled
from tests.support.parcels import make_shipments
from tests.support.tracked_over_http import (
    BatchHttpAdapter,
    Rate,
    SingleHttpAdapter,
    courier_over_http,
    measured,
)

OPEN = 100_000
SECONDS = 30.0  # of each sample
LATENCY = 0.4  # seconds, a half more or less
BUDGET = 0.95  # of the permitted rate
CLAIM = 200  # shipments
LIMIT = Limit(75, 30)
NO_LIMIT = Limit(10_000, 1)


def run() -> list[Figure]:
    """Measure the rates and the claims."""
    logging.getLogger("couriers").setLevel(logging.ERROR)
    account = _account_with_due_shipments()
    figures = [
        _claim(account),
        *_kept_rate(account, "batches of 50", BatchHttpAdapter),
        *_kept_rate(account, "single calls", SingleHttpAdapter),
    ]
    before = time.process_time()
    counts, _ = _sample(account, BatchHttpAdapter, NO_LIMIT, tasks.SYNC_SLICE)
    used = 1000 * (time.process_time() - before) / counts.total()
    shipments = counts.total() / tasks.SYNC_SLICE
    told = f"{shipments:.0f} shipments/s by one process, {used:.2f} ms of CPU for each"
    figures.append(Figure("— without a limit", told, speed=("polled", shipments)))
    Shipment.objects.filter(account=account).update(status="delivered")
    return figures


def _account_with_due_shipments() -> CourierAccount:
    account = create_account("http://127.0.0.1:9")
    account.courier, _ = Courier.objects.get_or_create(code="toy", defaults={"name": "Toy"})
    account.save()
    two_days_ago = timezone.now() - dt.timedelta(days=2)
    make_shipments(account, OPEN, status="in_transit", tracked_at=two_days_ago)
    vacuum(Shipment._meta.db_table)
    return account


def _claim(account: CourierAccount) -> Figure:
    """Compare a claim among 100,000 due shipments with one among few."""
    many, plan = _claim_plan(account, polling.poll_cutoff())
    by_index = "couriers_ship_poll_due" in plan and "Sort" not in plan
    none, _ = _claim_plan(account, timezone.now() - dt.timedelta(days=3))
    told = f"{many:.1f} ms, {none:.1f} ms where none is due"
    return Figure(f"claim {CLAIM} of {OPEN:,} due shipments", told, "by the index", by_index)


def _claim_plan(account: CourierAccount, cutoff: dt.datetime) -> tuple[float, str]:
    """Return the milliseconds of a claim's SELECT and its plan."""
    with transaction.atomic():
        due = polling.due_for_poll(cutoff).filter(account=account)
        plan = due.select_for_update(skip_locked=True)[:CLAIM].explain(analyze=True)
    found = re.search(r"Execution Time: ([\d.]+)", plan)
    assert found is not None
    return float(found[1]), plan


def _kept_rate(
    account: CourierAccount, name: str, adapter: type[SingleHttpAdapter]
) -> list[Figure]:
    """Measure the share of the permitted rate."""
    counts, rate = _sample(account, adapter, LIMIT, SECONDS)
    hours = OPEN / rate.largest / rate.share / (LIMIT.count / LIMIT.window) / 3600
    what = f"poll {OPEN:,} open shipments, {name}: share of the permitted rate"
    return [
        at_least(what, 100 * rate.share, 100 * BUDGET, "%", 1),
        at_most(f"— “too fast” of {rate.calls:,} calls", rate.too_fast, 0, "", 0),
        at_most(f"— failed of {counts.total():,} shipments", counts[Polled.FAILED], 0, "", 0),
        Figure("— all would take", f"{hours:.1f} h"),
    ]


def _sample(
    account: CourierAccount, adapter: type[SingleHttpAdapter], limit: Limit, seconds: float
) -> tuple[Counter[Polled], Rate]:
    """Poll for some seconds, in slices; return the outcomes and what the courier counted."""
    counts: Counter[Polled] = Counter()
    with courier_over_http(account, adapter, limit, LATENCY) as server:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            polling.poll(
                account,
                cutoff=polling.poll_cutoff(),
                threads=tunables().TRACKING_THREADS,
                seconds=min(tasks.SYNC_SLICE, left),
                done=lambda outcome: counts.update([outcome]),
            )
        return counts, measured(server, limit)
