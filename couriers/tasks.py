"""The Celery tasks of the core. Each takes ids or nothing, and may be run twice or in parallel.

PostgreSQL is the only record of the work. Sweepers, which beat sends, find the work of tasks that a
broken broker or a killed worker lost.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import Any

from celery import Task, group, shared_task
from django.db import transaction
from kombu.exceptions import OperationalError as BrokerUnavailable

from couriers.booking import bulk_jobs
from couriers.booking.leases import expire_leases
from couriers.conf import TASK_OPTIONS, tunables
from couriers.contract.logs import get_logger
from couriers.fulfilment import manifests
from couriers.models import BulkJob, CourierAccount, Manifest
from couriers.operations import retention
from couriers.tracking import polling

log = get_logger(__name__)

MAX_RUN_SECONDS = 60.0  # then a task ends, and is sent again for the rest of its work
MAX_SYNC_SECONDS = 240.0  # then polling ends, and the next task that beat sends goes on


@shared_task(name="couriers.reconcile_bookings", **TASK_OPTIONS)
def reconcile_bookings() -> int:
    """Put in doubt the bookings whose lease has run out; return how many. Sent by beat."""
    return expire_leases()


def start_manifest(manifest: Manifest) -> None:
    """Have a worker make the manifest, once the transaction is committed."""
    _send_on_commit(make_manifest, manifest.pk)


def start_job(job: BulkJob) -> None:
    """Have a worker book the job's orders, once the transaction is committed."""
    _send_on_commit(run_bulk_job, job.pk)


@shared_task(name="couriers.make_manifest", **TASK_OPTIONS)
def make_manifest(manifest_id: str) -> int:
    """Send a task for each due chunk of the manifest; return how many."""
    ids = list(manifests.due_chunks(manifest_id).values_list("pk", flat=True))
    if ids:
        group(make_manifest_chunk.si(pk) for pk in ids).apply_async(retry=False)
    manifests.finish(manifest_id)
    return len(ids)


@shared_task(name="couriers.make_manifest_chunk", **TASK_OPTIONS)
def make_manifest_chunk(chunk_id: int) -> None:
    """Make one chunk. If it was put off, send the task again with a delay."""
    delay = manifests.make_chunk(chunk_id)
    if delay is not None:
        _send(make_manifest_chunk, [chunk_id], countdown=delay)


@shared_task(name="couriers.sweep_manifests", **TASK_OPTIONS)
def sweep_manifests() -> int:
    """Make due and unclaimed chunks for MAX_RUN_SECONDS; return how many. Sent by beat.

    Also finishes manifests whose last worker died after it had made the last chunk.
    """
    deadline = time.monotonic() + MAX_RUN_SECONDS
    for manifest_id in list(manifests.unfinished().values_list("pk", flat=True)[:1000]):
        manifests.finish(manifest_id)
    ids = list(manifests.due_chunks().values_list("pk", flat=True)[:1000])
    for number, pk in enumerate(ids):
        if time.monotonic() >= deadline:
            return number
        manifests.make_chunk(pk)
    return len(ids)


@shared_task(name="couriers.run_bulk_job", **TASK_OPTIONS)
def run_bulk_job(job_id: str) -> None:
    """Book due orders of a job for MAX_RUN_SECONDS. The task is sent again for the rest."""
    delay = bulk_jobs.book_due_orders(job_id, seconds=MAX_RUN_SECONDS)
    if delay is not None:
        _send(run_bulk_job, [job_id], countdown=min(delay, MAX_RUN_SECONDS))


@shared_task(name="couriers.sweep_jobs", **TASK_OPTIONS)
def sweep_jobs() -> int:
    """Send a task for each job that no worker has; return how many. Sent by beat."""
    stranded = list(bulk_jobs.stranded_jobs().values_list("pk", flat=True)[:100])
    for job_id in stranded:
        _send(run_bulk_job, [job_id], expires=MAX_RUN_SECONDS)
    return len(stranded)


@shared_task(name="couriers.sync_tracking", **TASK_OPTIONS)
def sync_tracking() -> int:
    """Send a task for each account with shipments to poll; return how many. Sent by beat."""
    ids = list(polling.accounts_to_poll(polling.poll_cutoff()).values_list("pk", flat=True))
    for account_id in ids:
        _send(sync_account, [account_id], expires=MAX_SYNC_SECONDS)
    return len(ids)


@shared_task(name="couriers.sync_account", **TASK_OPTIONS)
def sync_account(account_id: str) -> None:
    """Poll the due shipments of one account for at most MAX_SYNC_SECONDS."""
    account = CourierAccount.objects.filter(pk=account_id).first()
    if account is not None:
        polling.poll(
            account,
            cutoff=polling.poll_cutoff(),
            threads=tunables().TRACKING_THREADS,
            seconds=MAX_SYNC_SECONDS,
        )


@shared_task(name="couriers.purge_expired", **TASK_OPTIONS)
def purge_expired() -> int:
    """Delete and erase expired rows for MAX_RUN_SECONDS; return how many.

    Sent by beat, and sent again for the rest.
    """
    purged = retention.purge(seconds=MAX_RUN_SECONDS)
    if not purged.finished:
        _send(purge_expired, [])
    return sum(purged.counts.values())


def _send_on_commit(task: Task[Any, Any], *arguments: Any) -> None:
    transaction.on_commit(partial(_send, task, arguments))


def _send(task: Task[Any, Any], arguments: Sequence[Any], **options: Any) -> None:
    """Send a task. A failure of the broker is only logged, because a sweeper finds the work."""
    try:
        # A request must not wait for a broker that is down.
        task.apply_async(args=tuple(arguments), retry=False, **options)
    except BrokerUnavailable as error:
        log.warning("task_not_sent", task=task.name, error=str(error))
