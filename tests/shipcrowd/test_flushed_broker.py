"""All in Redis is lost, again and again, while two beats run: all work ends, and none twice."""

from __future__ import annotations

import pytest
from django.conf import settings
from django_redis import get_redis_connection

from couriers.models import BulkOrder, Scan, Shipment
from sandbox.process import SandboxProcess
from shipcrowd.stack import Stack
from tests.support.neighbours import Tenant
from tests.support.sandboxes import sandbox_fixture
from tests.support.worker import own_servers, wait_for
from webhooks.models import WebhookEvent

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

sandbox = sandbox_fixture("--hold", "--fault", "create_shipment:slow:1", "--slow-seconds", "0.1")
JOBS, ORDERS = 2, 30


def flush_redis() -> None:
    """Delete all that is in the test's own Redis: messages, bindings, reservations, buckets."""
    assert settings.CACHES["default"]["LOCATION"] == settings.CELERY_BROKER_URL
    get_redis_connection("default").flushdb()


def test_all_work_ends_once_although_redis_is_flushed_in_the_middle_of_it(
    sandbox: SandboxProcess,
) -> None:
    with Stack(own_servers(), {"DJANGO_SETTINGS_MODULE": "tests.chaos.settings"}) as stack:
        stack.start_demo_web()
        stack.wait_until_ready()
        stack.start_worker(concurrency=2)
        for _ in range(2):
            stack.start_beat()
        tenant = Tenant.at(sandbox.url)
        jobs = [tenant.post_job(stack, f"job{n}", ORDERS) for n in range(JOBS)]
        flush_redis()
        wait_for(lambda: BulkOrder.objects.filter(outcome="booked").count() > ORDERS // 2)
        flush_redis()
        shipments = list(Shipment.objects.filter(status="booked")[:10])
        for number, shipment in enumerate(shipments):
            tenant.send_callback(stack, shipment, number)
            flush_redis()
        unprocessed = WebhookEvent.objects.exclude(state="processed")
        pending = BulkOrder.objects.filter(outcome="pending")
        wait_for(lambda: not unprocessed.exists() and not pending.exists())
        ids = list(Shipment.objects.filter(status="booked").values_list("pk", flat=True))
        body = {"courier": "ekart", "shipments": ids}
        answer = stack.request("POST", "/api/v1/manifests/", body, key=tenant.key)
        assert answer.status == 202, answer.text
        flush_redis()
        url = answer.headers["Location"]
        wait_for(lambda: stack.request("GET", url, key=tenant.key).json()["state"] == "done")
        for job in jobs:
            wait_for(lambda job=job: type(job).objects.get(pk=job.pk).state == "done")
        state = sandbox.state()
    assert (state["booked"], state["duplicates"]) == (JOBS * ORDERS, 0)
    assert set(BulkOrder.objects.values_list("outcome", flat=True)) == {"booked"}
    assert WebhookEvent.objects.count() == len(shipments)
    assert Scan.objects.count() == len(shipments)
    assert state["calls"]["manifest"] == 1
