"""The rate limiter: eight processes make as many calls as a limit of 2 a second allows."""

from __future__ import annotations

import time
import uuid

from benchmarks.figures import Figure
from benchmarks.processes import run_in_processes
from couriers.contract.errors import RateLimited
from couriers.contract.types import Limit
from couriers.resilience import rate_limit

PROCESSES = 8
SECONDS = 15.0
LIMIT = Limit(2, 1)


def count_granted(
    seconds: float = SECONDS, processes: int = PROCESSES, limit: Limit = LIMIT
) -> int:
    """Return how many calls the processes were granted together within `seconds`."""
    account = f"bench-{uuid.uuid4().hex}"

    def work() -> int:
        count = 0
        end = time.monotonic() + seconds
        while True:
            try:
                rate_limit.acquire(account, "create_shipment", limit)
            except RateLimited as error:
                time.sleep(max(0.0, min((error.retry_after or 0) - 1, end - time.monotonic())))
            else:
                # A call that was granted after the end does not count.
                count += time.monotonic() <= end
            if time.monotonic() >= end:
                return count

    return sum(run_in_processes(processes, work))


def run() -> list[Figure]:
    """Count the calls that are granted."""
    count, allowed = count_granted(), SECONDS * LIMIT.count / LIMIT.window
    return [
        Figure(
            f"limiter: calls granted to {PROCESSES} processes in {SECONDS:.0f} s at 2 a second",
            str(count),
            f"{allowed:.0f} ± 2",
            abs(count - allowed) <= 2,
        )
    ]
