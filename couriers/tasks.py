"""The Celery tasks of the core. Each takes ids or nothing, and may be run twice or in parallel.

PostgreSQL is the only record of the work. Sweepers, which beat sends, find the work of tasks that a
broken broker or a killed worker lost.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from celery import Task, shared_task
from celery.signals import task_failure
from django.db import transaction
from kombu.exceptions import OperationalError as BrokerUnavailable

from couriers.booking import bulk_turns, going_on, inquiries, reserved_ids
from couriers.booking.leases import expire_leases
from couriers.booking.next_courier import GO_ON
from couriers.conf import SWEEP_EXPIRES, TASK_OPTIONS, Queue, tunables
from couriers.contract.errors import NoReservedId
from couriers.contract.logs import get_logger
from couriers.documents import pending
from couriers.fulfilment import (
    earlier_parcels,
    label_jobs,
    manifests,
    operator_jobs,
    outcomes,
    pickups,
)
from couriers.models import BulkJob, CourierAccount, LabelJob, Manifest, OperatorJob
from couriers.operations import alerts, day_figures, performance, retention, worklist_filters
from couriers.resilience import broker, once, waits
from couriers.resilience.database import leave_connection
from couriers.resilience.shared import RedisUnavailable
from couriers.tracking import polling

log = get_logger(__name__)

MAX_RUN_SECONDS = 60.0  # then a task ends, and is sent again for the rest of its work
FILL_SECONDS = 300  # then another task may fill an account, in case the first got lost
RUN_QUEUED = "bulk"  # reserved in Redis while a sent run_bulk has not started
RUN_QUEUED_SECONDS = 60  # then another one is sent, in case the first got lost
MANIFEST_TASKS = 4  # tasks that make the chunks of one manifest
SYNC_SLICE = 20.0  # seconds for which a task polls one account
OPERATOR_SLICE = 20.0  # seconds for which a task does items of one operator's job
SYNC_SLICES = 12  # then polling ends, and the next task that beat sends goes on


@shared_task(name="couriers.reconcile_bookings", our_queue=Queue.BOOKING, **TASK_OPTIONS)
def reconcile_bookings() -> int:
    """Put in doubt the bookings whose lease has run out; return how many. Sent by beat.

    Then asks couriers about the doubts that are due, and the next couriers for orders whose doubt
    was settled as not booked, each for MAX_RUN_SECONDS.
    """
    expired = expire_leases()
    inquiries.ask_about_doubts(MAX_RUN_SECONDS)
    going_on.go_on_due(MAX_RUN_SECONDS)
    return expired


@shared_task(name=GO_ON, our_queue=Queue.BOOKING, **TASK_OPTIONS)
def go_on_booking(shipment_id: str) -> bool:
    """Ask the next courier for an order whose doubt was settled as not booked; return whether."""
    return going_on.go_on(shipment_id)


@shared_task(name="couriers.fill_reserved_ids", our_queue=Queue.BOOKING, **TASK_OPTIONS)
def fill_reserved_ids() -> int:
    """Send a task for each account with too few reserved numbers; return how many. Sent by beat."""
    accounts = reserved_ids.accounts_in_need()
    for account in accounts:
        if once.reserve(f"reserved:{account.pk}", FILL_SECONDS):
            _send(fill_account_ids, [account.pk], expires=SWEEP_EXPIRES)
    return len(accounts)


@shared_task(name="couriers.fill_account_ids", our_queue=Queue.BOOKING, **TASK_OPTIONS)
def fill_account_ids(account_id: str) -> int:
    """Fetch numbers for the account up to its stock; return how many.

    A courier that gives none now is asked again when beat sends the next task.
    """
    once.release(f"reserved:{account_id}")
    account = CourierAccount.objects.filter(pk=account_id).first()
    if account is None:
        return 0
    try:
        with waits.allow_long_waits():
            return reserved_ids.fill(account)
    except NoReservedId as error:
        log.warning("no_reserved_numbers", account=account_id, error=str(error))
        return 0


def start_manifest(manifest: Manifest) -> None:
    """Have workers make the manifest, once the transaction is committed."""
    transaction.on_commit(partial(_send_makers, manifest.pk))


def start_job(job: BulkJob) -> None:
    """Have workers book the orders of the job in its company's turn, once it is committed."""
    log.info("job_accepted", job=job.pk)
    transaction.on_commit(_request_run)


@shared_task(name="couriers.make_manifest", our_queue=Queue.DEFAULT, **TASK_OPTIONS)
def make_manifest(manifest_id: str) -> None:
    """Make the next due chunk of the manifest; the task is sent again for the rest.

    A few of these tasks work on a manifest, so that a large one leaves room for others.
    """
    chunk_id = manifests.due_chunks(manifest_id).values_list("pk", flat=True).first()
    if chunk_id is not None:
        manifests.make_chunk(chunk_id)
        _send(make_manifest, [manifest_id])
    elif not manifests.finish(manifest_id):
        delay = manifests.seconds_until_due(manifest_id)
        if delay is not None:
            _send(make_manifest, [manifest_id], countdown=max(delay, 0.1))


def start_labels(job: LabelJob) -> None:
    """Have a worker make the PDF of labels, once the transaction is committed."""
    transaction.on_commit(partial(_send, make_labels, [job.pk]))


@shared_task(name="couriers.make_labels", our_queue=Queue.DEFAULT, **TASK_OPTIONS)
def make_labels(job_id: str) -> None:
    """Make the PDF of a job of labels. The task is sent again for a job that has to wait."""
    once.release(f"labels:{job_id}")
    delay = label_jobs.make(job_id)
    if delay is not None:
        _send(make_labels, [job_id], countdown=max(delay, 0.1))


@shared_task(name="couriers.sweep_manifests", our_queue=Queue.DEFAULT, **TASK_OPTIONS)
def sweep_manifests() -> int:
    """Make due and unclaimed chunks for MAX_RUN_SECONDS; return how many. Sent by beat.

    Also finishes manifests whose last worker died after it had made the last chunk, and sends the
    tasks of PDFs of labels that were lost.
    """
    deadline = time.monotonic() + MAX_RUN_SECONDS
    _sweep_labels()
    manifests.bring_forward_late_chunks()
    for manifest_id in list(manifests.unfinished().values_list("pk", flat=True)[:1000]):
        manifests.finish(manifest_id)
    ids = list(manifests.due_chunks().values_list("pk", flat=True)[:1000])
    for number, pk in enumerate(ids):
        if time.monotonic() >= deadline:
            return number
        manifests.make_chunk(pk)
    return len(ids)


@shared_task(name="couriers.fetch_documents", our_queue=Queue.DEFAULT, **TASK_OPTIONS)
def fetch_documents() -> int:
    """Fetch the documents of bookings that are due; return how many were tried. Sent by beat."""
    return pending.fetch_due(MAX_RUN_SECONDS)


@shared_task(name="couriers.run_bulk", our_queue=Queue.BOOKING, **TASK_OPTIONS)
def run_bulk() -> None:
    """Book for the company whose turn it is, for one slice. The task is sent again for the rest.

    At most one such task is queued. It sends the next one before it books, so that another worker
    may serve another company meanwhile. A task that finds no company to serve ends.
    """
    once.release(RUN_QUEUED)
    turn = bulk_turns.take_turn()
    if turn is None:
        return
    _request_run(only_if_counted=True)
    delay = bulk_turns.serve(turn)
    if delay == 0:
        _request_run()
    elif delay is not None:
        _send(run_bulk, countdown=min(delay, MAX_RUN_SECONDS))


@shared_task(name="couriers.sweep_jobs", our_queue=Queue.BOOKING, **TASK_OPTIONS)
def sweep_jobs() -> bool:
    """Send a task if a company has bulk work that no worker has; return whether. Sent by beat."""
    bulk_turns.add_missing_turns()
    bulk_turns.bring_forward_late_work()
    if has_work := bulk_turns.has_work():
        _request_run()
    return has_work


@shared_task(name="couriers.sweep_actions", our_queue=Queue.TRACKING, **TASK_OPTIONS)
def sweep_actions() -> int:
    """Find out how due actions ended for MAX_RUN_SECONDS; return how many were asked about.

    Actions, pickups and cancellations whose process died before the answer are unknown. Jobs of
    operators that lost their task go on. Sent by beat.
    """
    deadline = time.monotonic() + MAX_RUN_SECONDS
    _sweep_operator_jobs()
    outcomes.expire_requests()
    pickups.expire_pickups()
    earlier_parcels.expire_cancels()
    earlier_parcels.ask_about_cancels()
    outcomes.bring_forward_late_actions()
    ids = list(outcomes.due_actions().values_list("pk", flat=True)[:1000])
    for number, pk in enumerate(ids):
        if time.monotonic() >= deadline:
            return number
        outcomes.ask_about(pk)
    return len(ids)


@shared_task(name="couriers.run_operator_job", our_queue=Queue.TRACKING, **TASK_OPTIONS)
def run_operator_job(job_id: str) -> None:
    """Do due items of an operator's job for OPERATOR_SLICE seconds.

    The task is sent again for the rest.
    """
    once.release(f"operator-job:{job_id}")
    job = OperatorJob.objects.select_related("actor").filter(pk=job_id).first()
    if job is None:
        return
    if job.filled_at is None:
        operator_jobs.fill(job.pk, worklist_filters.rows_of(job))
    delay = operator_jobs.work(job.pk, seconds=OPERATOR_SLICE)
    if delay is not None and once.reserve(f"operator-job:{job_id}", int(MAX_RUN_SECONDS)):
        _send(run_operator_job, [job_id], countdown=min(delay, MAX_RUN_SECONDS))


def _sweep_operator_jobs() -> None:
    """Send a task for each operator's job that can go on and has no task waiting."""
    for job_id in list(operator_jobs.workable().values_list("pk", flat=True)[:100]):
        if once.reserve(f"operator-job:{job_id}", int(MAX_RUN_SECONDS)):
            _send(run_operator_job, [job_id])


def _sweep_labels() -> None:
    """Send a task for each PDF of labels that is due and has no worker."""
    label_jobs.bring_forward_late_jobs()
    for job_id in list(label_jobs.due_jobs().values_list("pk", flat=True)[:100]):
        if once.reserve(f"labels:{job_id}", int(MAX_RUN_SECONDS)):
            _send(make_labels, [job_id])


@shared_task(name="couriers.sync_tracking", our_queue=Queue.TRACKING, **TASK_OPTIONS)
def sync_tracking() -> int:
    """Send a task for each account with shipments to poll; return how many. Sent by beat."""
    ids = list(polling.accounts_to_poll(polling.poll_cutoff()).values_list("pk", flat=True))
    for account_id in ids:
        if once.reserve(f"sync:{account_id}", int(SYNC_SLICE * SYNC_SLICES)):
            _send(sync_account, [account_id], expires=SWEEP_EXPIRES)
    return len(ids)


@shared_task(name="couriers.sync_account", our_queue=Queue.TRACKING, **TASK_OPTIONS)
def sync_account(account_id: str, slices: int = SYNC_SLICES) -> None:
    """Poll the due shipments of one account for SYNC_SLICE seconds.

    The task is sent again for the rest, as often as there are slices.
    """
    account = CourierAccount.objects.filter(pk=account_id).first()
    if account is None:
        return
    cutoff = polling.poll_cutoff()
    delay = polling.poll(
        account, cutoff=cutoff, threads=tunables().TRACKING_THREADS, seconds=SYNC_SLICE
    )
    if delay is not None and slices > 1:
        rest = [account_id, slices - 1]
        _send(sync_account, rest, countdown=delay, expires=SWEEP_EXPIRES)


@shared_task(name="couriers.read_alerts", our_queue=Queue.DEFAULT, **TASK_OPTIONS)
def read_alerts() -> None:
    """Keep which alerts fire, for the first page of the admin. Sent by beat."""
    with suppress(RedisUnavailable):
        alerts.refresh()


@shared_task(name="couriers.count_day_figures", our_queue=Queue.DEFAULT, **TASK_OPTIONS)
def count_day_figures() -> int:
    """Count today, yesterday and some older days for the charts; return how many. Sent by beat."""
    return day_figures.count_due_days()


@shared_task(name="couriers.count_performance", our_queue=Queue.DEFAULT, **TASK_OPTIONS)
def count_performance() -> int:
    """Count due months of accounts for MAX_RUN_SECONDS; return how many. Sent by beat."""
    return performance.count_due(MAX_RUN_SECONDS)


@shared_task(name="couriers.purge_expired", our_queue=Queue.DEFAULT, **TASK_OPTIONS)
def purge_expired() -> int:
    """Delete and erase expired rows for MAX_RUN_SECONDS; return how many.

    Sent by beat, and sent again for the rest.
    """
    purged = retention.purge(seconds=MAX_RUN_SECONDS)
    if not purged.finished:
        _send(purge_expired)
    return sum(purged.counts.values())


@task_failure.connect
def _leave_connection(exception: BaseException | None = None, **_: Any) -> None:
    """After a task that PostgreSQL could not serve, the worker's next task connects anew."""
    leave_connection(exception)


def _send_makers(manifest_id: str) -> None:
    chunks = manifests.due_chunks(manifest_id).count()
    for _ in range(min(MANIFEST_TASKS, chunks)):
        _send(make_manifest, [manifest_id])


def _request_run(*, only_if_counted: bool = False) -> None:
    """Send run_bulk unless one is queued.

    Where Redis cannot tell, it is sent; with `only_if_counted` it is not, since each task that sent
    two would double their number.
    """
    if once.reserve(RUN_QUEUED, RUN_QUEUED_SECONDS, if_unavailable=not only_if_counted):
        _send(run_bulk)


def _send(task: Task[Any, Any], arguments: Sequence[Any] = (), **options: Any) -> None:
    """Send a task. A failure of the broker is only logged, because a sweeper finds the work."""
    try:
        broker.send(task, tuple(arguments), **options)
    except BrokerUnavailable as error:
        log.warning("task_not_sent", task=task.name, error=str(error))
