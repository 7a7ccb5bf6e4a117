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
SECONDS = 45.0  # of each sample
LATENCY = 0.4  # seconds, a half more or less
BUDGET = 0.95  # of the permitted rate
CLAIM = 200  # shipments
LIMIT = Limit(75, 30)
NO_LIMIT = Limit(10_000, 1)


def run() -> bool:
    """Print the rates and the claims; False where a rate or a claim misses its budget."""
    logging.getLogger("couriers").setLevel(logging.ERROR)
    account = _account_with_due_shipments()
    flat = _claims_are_flat(account)
    kept = [
        _keeps_rate(account, "batches of 50", BatchHttpAdapter),
        _keeps_rate(account, "single calls", SingleHttpAdapter),
    ]
    counts, _ = _sample(account, BatchHttpAdapter, NO_LIMIT, tasks.SYNC_SLICE)
    shipments = counts.total() / tasks.SYNC_SLICE
    print(f"polling: without a limit one process polls {shipments:.0f} shipments a second")
    Shipment.objects.filter(account=account).update(status="delivered")
    return flat and all(kept)


def _account_with_due_shipments() -> CourierAccount:
    account = create_account("http://127.0.0.1:9")
    account.courier, _ = Courier.objects.get_or_create(code="toy", defaults={"name": "Toy"})
    account.save()
    two_days_ago = timezone.now() - dt.timedelta(days=2)
    make_shipments(account, OPEN, status="in_transit", tracked_at=two_days_ago)
    vacuum(Shipment._meta.db_table)
    return account


def _claims_are_flat(account: CourierAccount) -> bool:
    """Compare a claim among 100,000 due shipments with one among few."""
    many, plan = _claim_plan(account, polling.poll_cutoff())
    by_index = "couriers_ship_poll_due" in plan and "Sort" not in plan
    none, _ = _claim_plan(account, timezone.now() - dt.timedelta(days=3))
    print(
        f"polling: a claim of {CLAIM} among {OPEN:,} due takes {many:.1f} ms, and where none of "
        f"{OPEN:,} is due {none:.1f} ms; {'by' if by_index else 'NOT by'} the index, without a sort"
    )
    return by_index


def _claim_plan(account: CourierAccount, cutoff: dt.datetime) -> tuple[float, str]:
    """Return the milliseconds of a claim's SELECT and its plan."""
    with transaction.atomic():
        due = polling.due_for_poll(cutoff).filter(account=account)
        plan = due.select_for_update(skip_locked=True)[:CLAIM].explain(analyze=True)
    found = re.search(r"Execution Time: ([\d.]+)", plan)
    assert found is not None
    return float(found[1]), plan


def _keeps_rate(account: CourierAccount, name: str, adapter: type[SingleHttpAdapter]) -> bool:
    """Print the share of the permitted rate; return whether it is within the budget."""
    counts, rate = _sample(account, adapter, LIMIT, SECONDS)
    hours = OPEN / rate.largest / rate.share / (LIMIT.count / LIMIT.window) / 3600
    print(
        f"polling: {name} at {LIMIT.count} in {LIMIT.window:.0f} s: {rate.calls:,} calls about "
        f"{counts.total():,} shipments, {rate.share:.1%} of the permitted rate (≥ {BUDGET:.0%}), "
        f"{rate.too_fast} too fast (0), {counts[Polled.FAILED]} failed (0); "
        f"{OPEN:,} would take {hours:.1f} h"
    )
    return rate.share >= BUDGET and not rate.too_fast and not counts[Polled.FAILED]


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
