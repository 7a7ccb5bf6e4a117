"""Manifests and bulk jobs in real worker processes, some of which are killed."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from typing import Any

import pytest
from django.test import Client
from django_redis import get_redis_connection

from couriers import tasks
from couriers.conf import SWEEP_EXPIRES
from couriers.models import BulkJob, BulkOrder, Manifest, Scan, Shipment
from tests.support.callbacks import send
from tests.support.parcels import make_shipments
from tests.support.worker import CALLS, FAILURES, HANG, HANGING, wait_for, worker
from webhooks.models import WebhookEvent
from webhooks.tasks import sweep_inbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def calls() -> list[list[str]]:
    return [json.loads(call) for call in get_redis_connection("default").lrange(CALLS, 0, -1)]


def kill(process: Any) -> None:
    """Send SIGKILL to the worker, whose call to the courier hangs."""
    pid = int(get_redis_connection("default").get(HANGING))
    assert pid == process.pid
    os.kill(pid, signal.SIGKILL)
    process.wait()


def test_a_manifest_is_complete_after_three_failures_and_a_killed_worker(
    storefront: Client, account: Any, able: Any
) -> None:
    redis = get_redis_connection("default")
    ids = make_shipments(account, 1050)
    tracking_ids = list(
        Shipment.objects.filter(pk__in=ids).order_by("id").values_list("tracking_id", flat=True)
    )
    failing, hanging = tracking_ids[200], tracking_ids[500]
    redis.hset(FAILURES, failing, 3)
    redis.set(HANG, hanging)
    answer = storefront.post(
        "/api/v1/manifests/",
        json.dumps({"courier": "toy", "shipments": ids}),
        content_type="application/json",
    )
    assert answer.status_code == 202
    url = answer["Location"]
    tunables = {"MANIFEST_LEASE": 2.0, "MANIFEST_BACKOFF": 0.3}
    with worker(**tunables) as first:
        wait_for(lambda: redis.get(HANGING))
        kill(first)
    stuck = storefront.get(url).json()
    assert stuck["state"] == "pending"
    with worker(**tunables):
        # Beat sends this task every half minute.
        wait_for(
            lambda: storefront.get(url).json()["state"] != "pending",
            meanwhile=tasks.sweep_manifests.delay,
        )
    done = storefront.get(url).json()
    assert done["state"] == "done"
    assert [d["shipments"] for d in done["documents"]] == [100] * 10 + [50]
    chunks = list(Manifest.objects.get().chunks.all())
    assert [t for chunk in chunks for t in chunk.tracking_ids] == tracking_ids
    made = Counter(call[0] for call in calls())
    again = {failing: 4, hanging: 2}
    assert made == {t: again.get(t, 1) for t in tracking_ids[::100]}
    assert {tuple(call) for call in calls()} == {tuple(chunk.tracking_ids) for chunk in chunks}
    assert [c.failures for c in chunks] == [0, 0, 3, 0, 0, 1, 0, 0, 0, 0, 0]


def test_a_bulk_job_books_each_order_once_although_a_worker_is_killed(
    storefront: Client, account: Any, able: Any, order: Any
) -> None:
    redis = get_redis_connection("default")
    numbers = [f"B-{n:03d}" for n in range(60)]
    redis.set(HANG, numbers[20])
    orders = [order | {"order_number": number} for number in numbers]
    answer = storefront.post(
        "/api/v1/shipments/bulk/", json.dumps({"orders": orders}), content_type="application/json"
    )
    assert answer.status_code == 202, answer.content
    url = answer["Location"]
    tunables = {"BULK_LEASE": 4.0, "BOOKING_LEASE": 3.0}
    with worker(**tunables) as first:
        wait_for(lambda: redis.get(HANGING) and len(calls()) >= len(numbers) // 2)
        kill(first)
    # The order of the call that hangs, and the orders of the other threads at the kill.
    begun = set(Shipment.objects.exclude(status="booked").values_list("order_number", flat=True))
    assert numbers[20] in begun
    assert storefront.get(url).json()["state"] == "pending"
    with worker(**tunables):
        wait_for(
            lambda: storefront.get(url).json()["state"] == "done",
            meanwhile=tasks.sweep_jobs.delay,
        )
    done = storefront.get(url).json()
    # A call that had begun may have booked: its order is in doubt, and the call is not repeated.
    in_doubt = Shipment.objects.filter(status="in_doubt").values_list("order_number", flat=True)
    assert set(in_doubt) == begun
    assert done["counts"]["in_doubt"] == len(begun)
    assert done["counts"]["booked"] == len(numbers) - len(begun)
    made = Counter(call[0] for call in calls())
    assert set(made.values()) == {1}
    assert set(numbers) - set(made) <= begun  # stored, but killed before the call
    assert Shipment.objects.count() == len(numbers)
    assert BulkJob.objects.get().finished_at
    assert {row.request for row in BulkOrder.objects.all()} == {""}


@pytest.mark.parametrize("clock", [3600.0, -3600.0], ids=["ahead", "behind"])
def test_a_worker_whose_clock_is_an_hour_off_does_all_work_once(
    storefront: Client, account: Any, able: Any, order: Any, clock: float
) -> None:
    """Messages that expire, leases, pauses and sweeps are all made by another clock."""
    redis = get_redis_connection("default")
    ids = make_shipments(account, 250)
    redis.hset(FAILURES, Shipment.objects.order_by("id")[0].tracking_id, 1)
    orders = [order | {"order_number": f"B-{n:03d}"} for n in range(20)]

    def post(path: str, body: Any) -> Any:
        return storefront.post(path, json.dumps(body), content_type="application/json")

    with worker(clock=clock, MANIFEST_BACKOFF=0.3):
        job = post("/api/v1/shipments/bulk/", {"orders": orders})["Location"]
        manifest = post("/api/v1/manifests/", {"courier": "toy", "shipments": ids})["Location"]
        for number, shipment in enumerate(Shipment.objects.filter(pk__in=ids)[:10]):
            body = {"id": shipment.tracking_id, "status": "picked_up", "hour": number}
            assert send(account, body).status_code == 200
        wait_for(
            lambda: (
                storefront.get(job).json()["state"] == "done"
                and storefront.get(manifest).json()["state"] == "done"
                and set(WebhookEvent.objects.values_list("state", flat=True)) == {"processed"}
            ),
            seconds=30,
            meanwhile=send_as_beat_does,
        )
    made = Counter(call[0] for call in calls())
    assert sum(made.values()) == 20 + 3 + 1  # and the chunk that failed once
    assert storefront.get(job).json()["counts"]["booked"] == 20
    assert Scan.objects.count() == 10


def send_as_beat_does() -> None:
    for task in (tasks.sweep_jobs, tasks.sweep_manifests, sweep_inbox):
        task.apply_async(expires=SWEEP_EXPIRES)
