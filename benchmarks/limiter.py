"""The rate limiter: eight processes that want as much as they can get of 2 a second."""

from __future__ import annotations

import time
import uuid

from benchmarks.processes import at_once
from couriers.contract.errors import RateLimited
from couriers.contract.types import Limit
from couriers.resilience import rate_limit

PROCESSES = 8
SECONDS = 30.0
LIMIT = Limit(2, 1)


def granted(seconds: float = SECONDS, processes: int = PROCESSES, limit: Limit = LIMIT) -> int:
    """How many turns the processes were granted together in so many seconds."""
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
                # A turn that was waited for beyond the end is not one of these seconds'.
                count += time.monotonic() <= end
            if time.monotonic() >= end:
                return count

    return sum(at_once(processes, work))


def run() -> bool:
    """Print the turns granted; 60 ± 2 is right."""
    count = granted()
    print(f"limiter: {PROCESSES} processes in {SECONDS:.0f} s at 2/s were granted {count} (60 ± 2)")
    return abs(count - 60) <= 2
