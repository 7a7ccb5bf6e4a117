"""The Celery tasks of the core. Each takes ids or nothing, and may be run twice or in parallel.

PostgreSQL is the only record of what is to be done: sweepers, sent by beat, find the work of tasks
that a broken broker or a killed worker lost.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import structlog
from celery import Task, group, shared_task
from django.db import transaction
from kombu.exceptions import OperationalError as BrokerAway

from couriers.booking import bulk
from couriers.booking.protocol import expire_leases
from couriers.conf import tunables
from couriers.fulfilment import manifests
from couriers.models import BulkJob, CourierAccount, Manifest
from couriers.operations import retention
from couriers.tracking import polling

log = structlog.get_logger(__name__)

RUN = 60.0  # seconds after which a task ends, and is sent again for what is left
SYNC_RUN = 240.0  # the same for polling; the next run of beat goes on


@shared_task(name="couriers.reconcile_bookings")
def reconcile_bookings() -> int:
    """Put in doubt the bookings whose lease has run out; returns how many (by beat)."""
    return expire_leases()


def start_manifest(manifest: Manifest) -> None:
    """Have a worker make the manifest, once the transaction is committed."""
    _send_on_commit(make_manifest, manifest.pk)


def start_job(job: BulkJob) -> None:
    """Have a worker book the job's orders, once the transaction is committed."""
    _send_on_commit(run_bulk_job, job.pk)


@shared_task(name="couriers.make_manifest")
def make_manifest(manifest_id: str) -> int:
    """Send a task for each due chunk of the manifest; returns how many."""
    ids = list(manifests.due_chunks(manifest_id).values_list("pk", flat=True))
    if ids:
        group(make_manifest_chunk.si(pk) for pk in ids).apply_async()
    manifests.finish(manifest_id)
    return len(ids)


@shared_task(name="couriers.make_manifest_chunk")
def make_manifest_chunk(chunk_id: int) -> None:
    """Make one chunk, and have it tried again later where it was put off."""
    delay = manifests.make_chunk(chunk_id)
    if delay is not None:
        _send(make_manifest_chunk, [chunk_id], countdown=delay)


@shared_task(name="couriers.sweep_manifests")
def sweep_manifests() -> int:
    """Make the chunks that are due and unclaimed, for a minute; returns how many (by beat).

    Also finishes the manifests whose last chunk's worker died before it could.
    """
    deadline = time.monotonic() + RUN
    for manifest_id in list(manifests.unfinished().values_list("pk", flat=True)[:1000]):
        manifests.finish(manifest_id)
    ids = list(manifests.due_chunks().values_list("pk", flat=True)[:1000])
    for number, pk in enumerate(ids):
        if time.monotonic() >= deadline:
            return number
        manifests.make_chunk(pk)
    return len(ids)


@shared_task(name="couriers.run_bulk_job")
def run_bulk_job(job_id: str) -> None:
    """Book the due orders of a job for a minute; the task is sent again for the rest."""
    delay = bulk.work_on(job_id, seconds=RUN)
    if delay is not None:
        _send(run_bulk_job, [job_id], countdown=min(delay, RUN))


@shared_task(name="couriers.sweep_jobs")
def sweep_jobs() -> int:
    """Send a task for each job that nobody works on; returns how many (by beat)."""
    stranded = list(bulk.stranded_jobs().values_list("pk", flat=True)[:100])
    for job_id in stranded:
        _send(run_bulk_job, [job_id], expires=RUN)
    return len(stranded)


@shared_task(name="couriers.sync_tracking")
def sync_tracking() -> int:
    """Send a task for each account with shipments to poll; returns how many (by beat)."""
    ids = list(polling.accounts_to_poll(polling.poll_cutoff()).values_list("pk", flat=True))
    for account_id in ids:
        _send(sync_account, [account_id], expires=SYNC_RUN)
    return len(ids)


@shared_task(name="couriers.sync_account")
def sync_account(account_id: str) -> None:
    """Poll the due shipments of one account, for four minutes at most."""
    account = CourierAccount.objects.filter(pk=account_id).first()
    if account is not None:
        polling.poll(
            account,
            cutoff=polling.poll_cutoff(),
            threads=tunables().TRACKING_THREADS,
            seconds=SYNC_RUN,
        )


@shared_task(name="couriers.purge_expired")
def purge_expired() -> int:
    """Delete expired rows for a minute; returns how many (by beat). Sent again for the rest."""
    purged = retention.purge(seconds=RUN)
    if not purged.finished:
        _send(purge_expired, [])
    return sum(purged.counts.values())


def _send_on_commit(task: Task[Any, Any], *arguments: Any) -> None:
    transaction.on_commit(partial(_send, task, arguments))


def _send(task: Task[Any, Any], arguments: Sequence[Any], **options: Any) -> None:
    """Send a task. While the broker is away this does nothing: a sweeper will find the work."""
    try:
        task.apply_async(args=tuple(arguments), **options)
    except BrokerAway as error:
        log.warning("task_not_sent", task=task.name, error=str(error))
