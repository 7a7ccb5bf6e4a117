"""What a slow courier of one tenant costs another, and how long a 429 holds an API request.

The web server is the demo's. Forty `track/` requests hang on answers that never end.
"""

from __future__ import annotations

import statistics

from benchmarks.figures import Figure, at_most
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


def run() -> list[Figure]:
    """Measure what the slow courier costs."""
    environment = {"LOG_LEVEL": "CRITICAL", "WEB_THREADS": str(THREADS)}
    with Stack(current_servers(), environment) as stack:
        stack.start_demo_web()
        stack.wait_until_ready()
        return [*_reads_beside_a_slow_courier(stack), _longest_held_by_a_429(stack)]


def _reads_beside_a_slow_courier(stack: Stack) -> list[Figure]:
    """Time the other tenant's GETs."""
    with SlowCourier() as courier:
        neighbour = Merchant(courier.url)
        with hanging(stack, courier, THREADS // 2) as asked:
            reads = [neighbour.read(stack)[0] for _ in range(READS)]
        most = courier.most_waiting
    statuses = statuses_of(asked)
    return [
        at_most(
            f"{ASKED} requests of one tenant hang on a courier: another tenant's slowest GET",
            max(reads), MAX_READ, "s", 3,
        ),
        Figure(
            "— its median, and the hanging requests that waited and that were refused at once",
            f"{statistics.median(reads):.3f} s, {most}, {statuses[503]}",
        ),
    ]  # fmt: skip


def _longest_held_by_a_429(stack: Stack) -> Figure:
    """Time the longest that a request waits for its answer."""
    with SlowCourier(status=429, retry_after=RETRY_AFTER) as courier:
        merchant = Merchant(courier.url)
        order = ORDER | {"courier": "ekart", "order_number": "429"}
        answers = [
            merchant.track(stack),
            timed(stack, "POST", SHIPMENTS, merchant.key, order),
        ]
    held = max(seconds for seconds, _ in answers)
    what = f"a courier's 429 with Retry-After: {RETRY_AFTER} holds an API request for"
    return at_most(what, held, MAX_HELD, "s")
