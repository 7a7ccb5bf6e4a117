"""The end of test rows: shipments, jobs and manifests of test keys are deleted after a time.

A shipment goes with all that belongs to it. One that the audit trail names stays as a row, because
the trail is never changed, and is erased.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from couriers.models import AuditEntry, ReservedId, Shipment
from couriers.models.ids import first_shipment_id
from couriers.operations import erasure

DAYS = 30  # after the booking


def due_shipments() -> QuerySet[Shipment]:
    """The test shipments whose time is over, in the order of their ids, whatever their status."""
    begin = first_shipment_id(timezone.now() - dt.timedelta(days=DAYS))
    named = Exists(AuditEntry.objects.filter(shipment=OuterRef("pk")))
    kept = named & Q(erased_at__isnull=False)
    return Shipment.objects.filter(is_test=True, pk__lt=begin).exclude(kept).order_by("pk")


def purge_batch(after: str | None, size: int) -> tuple[str | None, int]:
    """Purge due shipments after the id `after`; return the last id and how many were purged.

    Rows that another transaction has locked are left for the next run. The id is None where nothing
    is left.
    """
    with transaction.atomic():
        due = due_shipments().filter(pk__gt=after or "")
        locked = due.select_for_update(skip_locked=True, of=("self",))
        ids = list(locked.values_list("pk", flat=True)[:size])
        erasure.erase_locked(ids)  # with the files of their documents
        named = AuditEntry.objects.filter(shipment__in=ids).values("shipment")
        gone = Shipment.objects.filter(pk__in=ids).exclude(pk__in=named)
        # Returns are younger than their shipment, and go later.
        Shipment.objects.filter(original__in=gone).update(original=None)
        ReservedId.objects.filter(shipment__in=gone).delete()
        gone.delete()
    return (ids[-1], len(ids)) if ids else (None, 0)
