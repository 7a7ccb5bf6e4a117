"""What a slow courier of one tenant costs another, and how long a 429 holds an API request.

The web server is the demo's. Forty `track/` requests hang on answers that never end.
"""

from __future__ import annotations

import statistics

from benchmarks.inbox import current_servers
from shipcrowd.stack import Stack
from tests.support.api import SHIPMENTS
from tests.support.orders import ORDER
from tests.support.slow_courier import ASKED, Merchant, SlowCourier, hanging, statuses_of, timed

THREADS = 64  # of the web server
READS = 50
RETRY_AFTER = 9  # seconds
MAX_READ = 1.0  # seconds
MAX_HELD = 3.0  # seconds: API_LIMITER_WAIT and the calls themselves


def run() -> bool:
    """Print the figures; return whether the budgets hold."""
    environment = {"LOG_LEVEL": "CRITICAL", "WEB_THREADS": str(THREADS)}
    with Stack(current_servers(), environment) as stack:
        stack.start_demo_web()
        stack.wait_until_ready()
        slowest = _reads_beside_a_slow_courier(stack)
        held = _longest_held_by_a_429(stack)
    return slowest <= MAX_READ and held <= MAX_HELD


def _reads_beside_a_slow_courier(stack: Stack) -> float:
    """Print and return the other tenant's slowest GET, in seconds."""
    with SlowCourier() as courier:
        neighbour = Merchant(courier.url)
        with hanging(stack, courier, THREADS // 2) as asked:
            reads = [neighbour.read(stack)[0] for _ in range(READS)]
        most = courier.most_waiting
    statuses = statuses_of(asked)
    print(
        f"slow couriers: {ASKED} track/ requests of one tenant hang on a dripping courier: {most} "
        f"wait for it, {statuses[503]} are refused at once; another tenant's GET takes "
        f"{statistics.median(reads):.3f} s (median), {max(reads):.3f} s (worst, ≤ {MAX_READ:g})"
    )
    return max(reads)


def _longest_held_by_a_429(stack: Stack) -> float:
    """Print and return the longest time in seconds that a request waited for its answer."""
    with SlowCourier(status=429, retry_after=RETRY_AFTER) as courier:
        merchant = Merchant(courier.url)
        order = ORDER | {"courier": "ekart", "order_number": "429"}
        answers = [
            merchant.track(stack),
            timed(stack, "POST", SHIPMENTS, merchant.key, order),
        ]
    held = max(seconds for seconds, _ in answers)
    delays = sorted({answer.headers.get("Retry-After", "none") for _, answer in answers})
    print(
        f"slow couriers: a 429 with Retry-After: {RETRY_AFTER} holds an API request for "
        f"{held:.2f} s at most (≤ {MAX_HELD:g}), and is handed on as {', '.join(delays)}"
    )
    return held
