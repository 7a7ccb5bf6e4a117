"""A tenant's bulk work takes no other's room: real web server, workers and stand-in courier."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from couriers.models import BulkJob
from sandbox.process import SandboxProcess
from shipcrowd.stack import INBOX_QUEUES, OTHER_QUEUES, Stack
from tests.support.neighbours import Tenant, seconds_to_begin
from tests.support.sandboxes import sandbox_fixture
from tests.support.worker import own_servers

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

# Four orders are booked at once, so 200 take about 20 seconds, much longer than the test.
sandbox = sandbox_fixture("--hold", "--fault", "create_shipment:slow:1", "--slow-seconds", "0.4")
JOBS, ORDERS = 10, 20  # of the greedy tenant
CALLBACKS = 4
MAX_SECONDS = 2.0  # until a callback is applied


@pytest.fixture
def stack(transactional_db: None) -> Iterator[Stack]:
    with Stack(own_servers(), {}) as stack:
        stack.start_demo_web()
        stack.wait_until_ready()
        # One slot for all bulk work: the least that a tenant can be left.
        stack.start_worker(queues=OTHER_QUEUES, concurrency=1)
        stack.start_worker(queues=INBOX_QUEUES, concurrency=1)
        yield stack


def test_ten_bulk_jobs_delay_neither_callbacks_nor_a_small_job_of_another_tenant(
    stack: Stack, sandbox: SandboxProcess
) -> None:
    greedy, neighbour = Tenant.at(sandbox.url), Tenant.at(sandbox.url)
    jobs = [greedy.post_job(stack, f"big{n}", ORDERS) for n in range(JOBS)]
    # The workers have started.
    seconds_to_begin(jobs[0])
    greedy.seconds_to_apply(stack, CALLBACKS, longest=60)
    small = neighbour.post_job(stack, "small", 3)
    applied = [neighbour.seconds_to_apply(stack, number) for number in range(CALLBACKS)]
    assert max(applied) < MAX_SECONDS, applied
    # The slice under way ends first: 3 s, and the calls that have begun.
    assert seconds_to_begin(small) < 6
    assert BulkJob.objects.filter(pk__in=[job.pk for job in jobs], state="pending").count() > 5
