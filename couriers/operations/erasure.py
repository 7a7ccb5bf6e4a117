"""Erasing the personal data of shipments: of the consignee, and every free text.

Amounts, taxes, statuses, times and ids stay, and so do state and pincode, which the books of the
merchant need. Nothing is decrypted, so a row that cannot be is erased like any other. Other apps
erase what they keep of a shipment by registering a function.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from django.core.files.storage import Storage
from django.db import connection, transaction
from django.db.models import Case, DateTimeField, F, QuerySet, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce
from django.utils import timezone

from couriers.booking.fingerprints import PERSONAL
from couriers.conf import tunables
from couriers.contract.logs import get_logger
from couriers.contract.statuses import TERMINAL, UNSETTLED
from couriers.models import (
    BookingAttempt,
    BulkOrder,
    CourierCall,
    DoubtInquiry,
    Event,
    IdempotencyKey,
    OperatorJob,
    OperatorJobItem,
    ParcelCancel,
    Scan,
    Shipment,
    ShipmentAction,
    ShipmentFlag,
    ShipmentNote,
    StoredDocument,
)
from couriers.models.operator_job import OperatorAct
from couriers.operations import shared_files

log = get_logger(__name__)

ERASED = "(erased)"  # in the place of a text that must not be empty
# Of each line of an order the quantity, the value, the GST rate and the HSN code stay.
_ITEMS = """(
    SELECT COALESCE(jsonb_agg(line || %s::jsonb ORDER BY number), '[]'::jsonb)
    FROM jsonb_array_elements(items) WITH ORDINALITY AS lines (line, number)
)"""
_NO_TEXTS = '{"name": "", "sku": "", "category": ""}'
_SCAN = Scan._meta.db_table
# A status that the plug-in does not know is the courier's own text.
_STATUS_WORDS = ("courier_type", "courier_status", "courier_code")
_KNOWN = {name: f"CASE status WHEN '' THEN '' ELSE {name} END" for name in _STATUS_WORDS}
# Without their places two scans of a moment may be alike. Then the first is kept.
_DELETE_ALIKE = f"""
DELETE FROM {_SCAN} WHERE id IN (
    SELECT id FROM (
        SELECT id, row_number() OVER (
            PARTITION BY shipment_id, at, {", ".join(_KNOWN.values())} ORDER BY id
        ) AS n
        FROM {_SCAN} WHERE shipment_id = ANY(%s)
    ) AS numbered WHERE n > 1
)
"""  # noqa: S608 - the table's own name
_ERASE_SCANS = f"""
UPDATE {_SCAN}
SET {", ".join(f"{name} = {known}" for name, known in _KNOWN.items())},
    ndr_reason = '', location = '', description = ''
WHERE shipment_id = ANY(%s)
"""  # noqa: S608 - the table's own name
_ERASE_EVENTS = f"""
UPDATE {Event._meta.db_table} SET data = jsonb_set(data, '{{shipment,ndr_reason}}', '""')
WHERE shipment_id = ANY(%s) AND data #>> '{{shipment,ndr_reason}}' <> ''
"""  # noqa: S608 - the table's own name


@dataclass(frozen=True, slots=True)
class ErasedShipment:
    """What other apps need to find what they keep of a shipment, since a time."""

    id: str
    account_id: str
    order_number: str
    tracking_ids: tuple[str, ...]
    since: dt.datetime


# Erases what an app keeps of the shipments, and returns the number of rows. It may take long, is
# called outside a transaction, and can be repeated.
Eraser = Callable[[Sequence[ErasedShipment]], int]
_erasers: dict[str, Eraser] = {}


def register(name: str, eraser: Eraser) -> None:
    """Have `erase_kept_elsewhere` call the function; one of the same name is replaced."""
    _erasers[name] = eraser


def erase_kept_elsewhere(shipments: Sequence[ErasedShipment]) -> dict[str, int]:
    """Erase what other apps keep of the shipments; return the numbers of rows by name."""
    return {name: eraser(shipments) for name, eraser in _erasers.items()}


def due_for_erasure() -> QuerySet[Shipment]:
    """The shipments whose personal data is to be erased now, in the order of their ids.

    That is RETENTION_CONSIGNEE_DAYS after the end, or after the last change of one that never ends.
    A booking in flight or in doubt is kept. The end is in the courier's time, whose clock may be
    wrong: what was booked since is kept anyway.
    """
    cutoff = _cutoff()
    ended_at = Coalesce("status_at", "updated_at")
    return (
        Shipment.objects.filter(erased_at__isnull=True, created_at__lt=cutoff)
        .exclude(status__in=UNSETTLED)
        .alias(
            kept_since=Case(
                When(status__in=TERMINAL, then=ended_at),
                default=F("updated_at"),
                output_field=DateTimeField(),
            )
        )
        .filter(kept_since__lt=cutoff)
        .order_by("pk")
    )


def erase_batch(after: str | None, size: int) -> tuple[str | None, int]:
    """Erase due shipments after the id `after`; return the last id and how many were erased.

    Rows that another transaction has locked are left for the next run. The id is None where nothing
    is left.
    """
    with transaction.atomic():
        due = due_for_erasure().filter(pk__gt=after or "")
        locked = due.select_for_update(skip_locked=True, of=("self",))
        ids = list(locked.values_list("pk", flat=True)[:size])
        erase_locked(ids)
    return (ids[-1], len(ids)) if ids else (None, 0)


def due_orders() -> QuerySet[BulkOrder]:
    """The orders of bulk jobs whose texts are to be erased now, in the order of their keys.

    An order that was rejected has no shipment with which it could be erased.
    """
    return orders_with_texts().filter(finished_at__lt=_cutoff()).order_by("pk")


def erase_orders_batch(after: int | None, size: int) -> tuple[int | None, int]:
    """Erase the texts of due orders of bulk jobs, as `erase_batch` does."""
    with transaction.atomic():
        due = due_orders().filter(pk__gt=after or 0)
        locked = due.select_for_update(skip_locked=True, of=("self",))
        ids = list(locked.values_list("pk", flat=True)[:size])
        erase_orders(BulkOrder.objects.filter(pk__in=ids))
    return (ids[-1], len(ids)) if ids else (None, 0)


def orders_with_texts() -> QuerySet[BulkOrder]:
    """The ended orders of bulk jobs whose texts are not erased."""
    return BulkOrder.objects.filter(finished_at__isnull=False).exclude(problems=[], reason="")


def erase_orders(orders: QuerySet[BulkOrder]) -> int:
    """Erase the texts of ended orders of bulk jobs; return how many."""
    return orders.filter(finished_at__isnull=False).update(problems=[], reason="", request="")


def erase_locked(ids: Sequence[str]) -> None:
    """Erase the personal data of shipments. Call in a transaction, with their rows locked.

    The files of documents are deleted after the commit. Without their rows nobody can decrypt them.
    """
    if not ids:
        return
    items = RawSQL(_ITEMS, [_NO_TEXTS])  # noqa: S611  # nosec B611 - a constant
    fingerprints = RawSQL("fingerprints - %s::text[]", [sorted(PERSONAL)])
    Shipment.objects.filter(pk__in=ids).update(
        consignee_name="", consignee_phone="", phone_hash="", consignee_address="",
        consignee_landmark=None, consignee_email=None, metadata={},
        consignee_city="", courier_tracking_url="", items=items, options={}, return_reason="",
        invoice_number="",
        warnings=[], failure="", ndr_reason="", erased_at=timezone.now(),
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_DELETE_ALIKE, [list(ids)])
        cursor.execute(_ERASE_SCANS, [list(ids)])
        cursor.execute(_ERASE_EVENTS, [list(ids)])
    IdempotencyKey.objects.filter(shipment__in=ids).update(
        fingerprints=fingerprints,
        response_status=None,
        response_body=None,
    )
    CourierCall.objects.filter(shipment__in=ids).update(message="")
    BookingAttempt.objects.filter(shipment__in=ids).update(reason="")
    ParcelCancel.objects.filter(attempt__shipment__in=ids).update(words="")
    ShipmentAction.objects.filter(shipment__in=ids).update(asked={}, words="")
    DoubtInquiry.objects.filter(shipment__in=ids).update(message="")
    ShipmentNote.objects.filter(shipment__in=ids).delete()
    _erase_jobs_of_operators(ids)
    ShipmentFlag.objects.filter(shipment__in=ids).exclude(clear_reason="").update(
        clear_reason=ERASED
    )
    erase_orders(BulkOrder.objects.filter(shipment__in=ids))
    _delete_documents(StoredDocument.objects.filter(shipment__in=ids))
    shared_files.delete_of(ids)


def _erase_jobs_of_operators(ids: Sequence[str]) -> None:
    items = OperatorJobItem.objects.filter(shipment__in=ids)
    jobs = OperatorJob.objects.filter(pk__in=items.values("job"), act=OperatorAct.ADDRESS)
    jobs.update(asked={})  # a change of address has one shipment
    items.update(words="")


def _cutoff() -> dt.datetime:
    return timezone.now() - dt.timedelta(days=tunables().RETENTION_CONSIGNEE_DAYS)


def _delete_documents(documents: QuerySet[StoredDocument]) -> None:
    found = list(documents)
    if found:
        documents.delete()
        files = [(each.file.storage, str(each.file.name)) for each in found if each.file]
        transaction.on_commit(partial(_delete_files, files))


def _delete_files(files: Iterable[tuple[Storage, str]]) -> None:
    for storage, name in files:
        try:
            storage.delete(name)
        except OSError as error:
            # The row with its key is gone, so nobody can read the file.
            log.error("document_file_not_deleted", file=name, error=type(error).__name__)
