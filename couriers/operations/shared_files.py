"""The end of files about many shipments: PDFs of labels, and manifests.

A PDF of labels ends a day after it was made. Each file ends with the data of the first of its
consignees that is erased.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from couriers.documents.sealed_files import delete_sealed
from couriers.models import LabelJob, ManifestChunk, Shipment
from couriers.models.document import document_storage
from couriers.models.label_job import KEPT


def expired() -> QuerySet[LabelJob]:
    """Return the PDFs of labels whose time is over, in the order of their ids."""
    return LabelJob.objects.filter(finished_at__lt=timezone.now() - KEPT).order_by("pk")


def purge_batch(after: str | None, size: int) -> tuple[str | None, int]:
    """Delete expired PDFs of labels after the id `after`, as `retention.Rule` says."""
    with transaction.atomic():
        locked = expired().filter(pk__gt=after or "").select_for_update(skip_locked=True)
        jobs = list(locked.only("pk", "file")[:size])
        _delete_jobs(jobs)
    return (jobs[-1].pk, len(jobs)) if jobs else (None, 0)


def delete_of(shipment_ids: Sequence[str]) -> None:
    """Delete the PDFs with a label of these shipments, and the manifests that list one.

    Call in a transaction. Files are deleted after the commit: without its row nobody can decrypt
    one.
    """
    found = LabelJob.objects.filter(shipments__overlap=list(shipment_ids))
    _delete_jobs(list(found.only("pk", "file")))
    listed: dict[str, list[str]] = {}
    rows = Shipment.objects.filter(pk__in=shipment_ids).exclude(tracking_id="")
    for account, tracking_id in rows.values_list("account_id", "tracking_id"):
        listed.setdefault(account, []).append(tracking_id)
    for account, tracking_ids in listed.items():
        chunks = ManifestChunk.objects.filter(
            manifest__account=account, tracking_ids__overlap=tracking_ids
        )
        names = list(chunks.exclude(file="").values_list("file", flat=True))
        chunks.update(file="", file_key=None, link=None, url="")
        _delete_files(names)


def _delete_jobs(jobs: Sequence[LabelJob]) -> None:
    LabelJob.objects.filter(pk__in=[job.pk for job in jobs]).delete()
    _delete_files(str(job.file.name) for job in jobs if job.file)


def _delete_files(names: Iterable[str]) -> None:
    storage = document_storage()
    for name in names:
        transaction.on_commit(partial(delete_sealed, storage, name))
