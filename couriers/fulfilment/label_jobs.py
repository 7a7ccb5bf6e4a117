"""PDFs of many labels, made by workers. PostgreSQL is the only record of the work.

A job is claimed with a lease, so that another worker takes over that of a killed one. Its file is
stored before its row says so. A job ends with all labels, or with a report of those that lack.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from couriers.contract.errors import CircuitOpen, RateLimited, TimeIsUp
from couriers.contract.logs import get_logger
from couriers.contract.platform_errors import LabelsTooLarge, TooManyJobs
from couriers.contract.text import make_storable
from couriers.documents.sealed_files import SealedFile, delete_sealed, read_sealed, save_sealed
from couriers.documents.sheets import PageFormat, Sheets
from couriers.documents.storing import NOT_STORED
from couriers.fulfilment.many_labels import MAX_JOB_BYTES, MissingLabel, lay_out
from couriers.models import Company, LabelJob, Shipment
from couriers.models.claims import (
    DoublingPauses,
    back_off,
    bring_forward,
    claim,
    due,
    seconds_from_now,
    unclaimed,
)
from couriers.models.document import document_storage
from couriers.models.fields import MAX_ERROR_TEXT
from couriers.models.label_job import LabelJobState
from couriers.models.transactions import refuse_open_transaction
from couriers.resilience import waits

log = get_logger(__name__)

MAX_OPEN_JOBS = 5  # of one company
OPEN_JOBS_RETRY_AFTER = 10.0  # seconds
LEASE = 300.0  # seconds
RUN_SECONDS = 110.0  # for which one attempt asks couriers
MAX_FAILURES = 8
PAUSES = DoublingPauses(5.0, 300.0)  # seconds after a failure
FOLDER = "label-jobs"


def create(
    company: Company, *, is_test: bool, shipments: Sequence[str], page_format: PageFormat
) -> LabelJob:
    """Store a job for the labels of the company's shipments of the mode, in this order.

    The same labels asked for again while the job is pending are that job. Raises TooManyJobs where
    the company has MAX_OPEN_JOBS pending ones.
    """
    with transaction.atomic():
        Company.objects.select_for_update(no_key=True).get(pk=company.pk)
        pending = LabelJob.objects.filter(company=company, state=LabelJobState.PENDING)
        same = pending.filter(
            is_test=is_test, shipments=list(shipments), page_format=page_format
        ).first()
        if same is not None:
            return same
        if pending.count() >= MAX_OPEN_JOBS:
            raise TooManyJobs(MAX_OPEN_JOBS, OPEN_JOBS_RETRY_AFTER, "PDFs of labels")
        return LabelJob.objects.create(
            company=company,
            is_test=is_test,
            shipments=list(shipments),
            page_format=page_format,
        )


def make(job_id: str) -> float | None:
    """Make the PDF of a job, if it is due and unclaimed.

    Returns the seconds after which to try it again, or None when nothing is left to do. Raises
    InsideTransaction if a transaction is open.
    """
    refuse_open_transaction("make()")
    job = _claim(job_id)
    if job is None:
        return None
    found = Shipment.objects.filter(company=job.company_id).select_related("account")
    shipments = found.in_bulk(job.shipments)
    if len(shipments) < len(set(job.shipments)):
        _give_up(job, (), "a shipment of it was deleted")
        return None
    sheets = Sheets(PageFormat(job.page_format), max_bytes=MAX_JOB_BYTES)
    try:
        with waits.allow_long_waits():
            missing = lay_out([shipments[pk] for pk in job.shipments], sheets, seconds=RUN_SECONDS)
    except LabelsTooLarge as error:
        _give_up(job, (), str(error))
        return None
    if missing:
        return _put_off(job, missing)
    return _store(job, sheets)


def due_jobs() -> QuerySet[LabelJob]:
    """Return the jobs that may be made now, oldest first."""
    return LabelJob.objects.filter(due(), unclaimed(), state=LabelJobState.PENDING).order_by("id")


def bring_forward_late_jobs() -> None:
    """Make due the new jobs that are due later: the database's clock was set back."""
    new = LabelJob.objects.filter(state=LabelJobState.PENDING, attempts=0)
    bring_forward(new, longest_pause=0)


def pieces_of(job: LabelJob) -> Iterator[bytes]:
    """Yield the PDF of a job that is done. Raises what `read_sealed` raises."""
    return read_sealed(document_storage(), str(job.file.name), job.file_key)


def _claim(job_id: str) -> LabelJob | None:
    with transaction.atomic():
        lease_end = seconds_from_now(LEASE)
        taken = claim(due_jobs().filter(pk=job_id), limit=1, lease_expires_at=lease_end)
        if not taken:
            return None
        job = taken[0]
        # Its last worker died. That counts as a failure, in case the job kills its workers.
        job.failures += job.lease_expires_at is not None
        job.attempts += 1
        job.save(update_fields=["attempts", "failures"])
    if job.failures >= MAX_FAILURES:
        _give_up(job, (), f"given up after {job.failures} failures: its workers died")
        return None
    return job


def _store(job: LabelJob, sheets: Sheets) -> float | None:
    """Store the file, then its row. Returns the seconds to wait where it could not be stored."""
    pages = 0

    def write(stream: object) -> None:
        nonlocal pages
        pages = sheets.write(stream)  # type: ignore[arg-type]

    storage = document_storage()
    try:
        file: SealedFile = save_sealed(storage, FOLDER, "pdf", write)
    except Exception as error:  # noqa: BLE001 - a storage may raise anything when it is full
        NOT_STORED.inc()
        log.error("document_not_stored", job=job.pk, error=type(error).__name__)
        return _wait(job, failures=job.failures + 1, reason="it could not be stored")
    stored = _if_not_taken_over(job).update(
        state=LabelJobState.DONE,
        file=file.name,
        file_key=file.key,
        size=file.size,
        pages=pages,
        missing=[],
        reason="",
        lease_expires_at=None,
        finished_at=timezone.now(),
    )
    if not stored:
        delete_sealed(storage, file.name)
    return None


def _put_off(job: LabelJob, missing: Sequence[MissingLabel]) -> float | None:
    """Schedule the next attempt where all that lack may come; else end the job with its report."""
    errors = [each.error for each in missing]
    if not all(each.may_come for each in missing):
        _give_up(job, missing)
        return None
    held_back = all(isinstance(error, (RateLimited, CircuitOpen, TimeIsUp)) for error in errors)
    has_more = len(missing) < len(set(job.shipments))
    # Where time was over, labels that were stored one by one are there the next time.
    failures = job.failures + (not (held_back and has_more))
    if failures >= MAX_FAILURES:
        _give_up(job, missing)
        return None
    waits_for = [error.retry_after for error in errors if error.retry_after]
    return _wait(
        job, failures=failures, retry_after=max(waits_for, default=None), reason=missing[0].reason
    )


def _wait(
    job: LabelJob, *, failures: int, reason: str, retry_after: float | None = None
) -> float | None:
    delay = back_off(failures, PAUSES, retry_after)
    put_off = _if_not_taken_over(job).update(
        failures=failures,
        reason=make_storable(reason)[:MAX_ERROR_TEXT],
        lease_expires_at=None,
        next_attempt_at=seconds_from_now(delay),
    )
    return delay if put_off else None


def _give_up(job: LabelJob, missing: Sequence[MissingLabel], reason: str = "") -> None:
    report = [
        {
            "position": each.position,
            "shipment": each.shipment.pk,
            "reason": make_storable(each.reason)[:MAX_ERROR_TEXT],
        }
        for each in missing
    ]
    _if_not_taken_over(job).update(
        state=LabelJobState.FAILED,
        missing=report,
        reason=reason[:MAX_ERROR_TEXT],
        lease_expires_at=None,
        finished_at=timezone.now(),
    )
    log.warning("labels_failed", job=job.pk, count=len(report))


def _if_not_taken_over(job: LabelJob) -> QuerySet[LabelJob]:
    """Return the pending job as a queryset; empty where another worker has claimed it since."""
    return LabelJob.objects.filter(pk=job.pk, state=LabelJobState.PENDING, attempts=job.attempts)
