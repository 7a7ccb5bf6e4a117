"""What ten bulk jobs of one tenant cost another: its callbacks, and the start of its small job.

The processes are those of the demo: a web server, a worker of the inbox and one of all else.
"""

from __future__ import annotations

import statistics
import time

from benchmarks.figures import Figure, at_most
from benchmarks.inbox import current_servers
from couriers.models import BulkOrder
from sandbox.process import SandboxProcess
from shipcrowd.stack import INBOX_QUEUES, OTHER_QUEUES, Stack
from tests.support.neighbours import Tenant, seconds_to_begin

JOBS, ORDERS = 10, 60  # of the greedy tenant
SMALL_JOB = 3  # orders
PAUSE = 0.2  # seconds between two callbacks
MAX_TO_APPLY = 2.0  # seconds
MAX_TO_BEGIN = 10.0  # seconds


def run() -> list[Figure]:
    """Run the jobs, and callbacks and a small job of another tenant beside them."""
    with SandboxProcess("ekart", "--hold") as sandbox, Stack(current_servers(), {}) as stack:
        stack.start_web()
        for queues in (INBOX_QUEUES, OTHER_QUEUES):
            stack.start_worker(queues=queues)
        stack.start_beat()
        stack.wait_until_ready()
        greedy, neighbour = Tenant.at(sandbox.url), Tenant.at(sandbox.url)
        jobs = [greedy.post_job(stack, f"big{n}", ORDERS) for n in range(JOBS)]
        seconds_to_begin(jobs[0])  # the workers have started
        greedy.seconds_to_apply(stack, 1_000_000)
        small = neighbour.post_job(stack, "small", SMALL_JOB)
        to_begin = seconds_to_begin(small)
        pending = BulkOrder.objects.filter(job__in=jobs, outcome="pending")
        left = pending.count()
        began, applied = time.monotonic(), []
        while pending.exists():
            applied.append(neighbour.seconds_to_apply(stack, len(applied)))
            time.sleep(PAUSE)
        seconds = time.monotonic() - began
        state = sandbox.state()
    return [
        at_most(
            f"a callback while another tenant runs {JOBS} bulk jobs: applied after",
            max(applied), MAX_TO_APPLY, "s",
        ),
        Figure(
            f"— of {len(applied)} callbacks while {left:,} orders were booked in {seconds:.0f} s",
            f"median {statistics.median(applied):.2f} s",
        ),
        at_most(
            f"— another tenant's job of {SMALL_JOB} began after", to_begin, MAX_TO_BEGIN, "s", 1
        ),
        at_most("— booked twice", state["duplicates"], 0, "", 0),
    ]  # fmt: skip
