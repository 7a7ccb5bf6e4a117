"""Documents that come with a booking: a row in the settling transaction, the file after it.

What the courier offers only now must not be lost, and must not delay or undo the booking. So the
rows are written with the booking, and the files are fetched afterwards: at once where that is
quick, else by a task, which also takes over the rows of a killed process. A document that cannot
be had is *failed*, with the reason; the shipment stays booked.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from itertools import islice

from django.db import transaction
from django.db.models import QuerySet

from couriers.conf import tunables
from couriers.contract.documents import BookingDocument, Document, DocumentKind, DocumentLink
from couriers.contract.errors import (
    CourierError,
    NotFound,
    NotSent,
    Rejected,
    Unknown,
)
from couriers.contract.logs import get_logger
from couriers.contract.platform_errors import UnknownCourier
from couriers.contract.text import make_storable
from couriers.documents.fetching import as_document
from couriers.documents.storing import store
from couriers.models import Shipment, StoredDocument
from couriers.models.call_audit import reason_text
from couriers.models.claims import (
    DoublingPauses,
    back_off,
    bring_forward,
    claim,
    due,
    seconds_from_now,
    unclaimed,
)
from couriers.models.document import DocumentState
from couriers.models.fields import readable_or
from couriers.models.transactions import refuse_open_transaction
from couriers.resilience import deadline, waits

log = get_logger(__name__)

OPERATION = "document"  # in errors
QUICK_SECONDS = 2.0  # for which a booking's own request fetches its documents
MAX_DOCUMENTS = 10  # of one booking


@dataclass(frozen=True, slots=True, repr=False)
class Brought:
    """A document that came with a booking, and its pending row. A link may hold a signature."""

    row: StoredDocument
    answer: Document | DocumentLink


def accept(shipment: Shipment, documents: tuple[BookingDocument, ...]) -> None:
    """Store the rows of a booking's documents, and the documents after the commit.

    Call in the transaction that stores the booking, whose shipment has its tracking id. The rows
    are claimed for this process. What is no document is logged, and is no reason not to book.
    """
    if not documents:
        return
    brought: list[Brought] = []
    each_of: Iterable[object] = documents if isinstance(documents, (list, tuple)) else [documents]
    for document in islice(each_of, MAX_DOCUMENTS):
        if not isinstance(document, BookingDocument) or document.kind not in DocumentKind.values:
            kind = type(document).__name__
            log.error("booking_document_unusable", courier=shipment.courier_id, type=kind)
        elif document.kind not in {other.row.kind for other in brought}:
            brought.append(Brought(_row_of(shipment, document), document.document))
    # A row that is there already is of a document that was fetched meanwhile.
    StoredDocument.objects.bulk_create([each.row for each in brought], ignore_conflicts=True)
    transaction.on_commit(partial(_keep, brought))


def _keep(brought: Iterable[Brought]) -> None:
    """Store the documents of a booking that has been committed, for at most QUICK_SECONDS.

    The task fetches what is left. Raises nothing: where the database does not answer, the rows'
    leases run out, and the task takes them over.
    """
    limit = deadline.after(QUICK_SECONDS)
    for each in brought:
        try:
            with deadline.send_only_before(limit), waits.limit_sum():
                _attempt(each.row, each.answer)
        except Exception:
            log.exception("document_not_kept", shipment=each.row.shipment_id)


def fetch_due(seconds: float) -> int:
    """Fetch the pending documents that are due, for `seconds` at most; return how many were tried.

    Raises InsideTransaction if a transaction is open.
    """
    refuse_open_transaction("fetch_due()")
    bring_forward(_pending(), tunables().DOCUMENT_LONGEST_BACKOFF)
    end = time.monotonic() + seconds
    tried = 0
    while time.monotonic() < end and (row := _claim()) is not None:
        link = _link_of(row)
        if link is None:
            _put_off(row, Unknown("there is no link, or it cannot be read"))
        else:
            _attempt(row, link)
        tried += 1
    return tried


def _pending() -> QuerySet[StoredDocument]:
    return StoredDocument.objects.filter(state=DocumentState.PENDING)


def _row_of(shipment: Shipment, document: BookingDocument) -> StoredDocument:
    """Return the unsaved row of a document that came with a booking."""
    answer = document.document
    row = StoredDocument(
        shipment=shipment,
        kind=document.kind,
        tracking_id=shipment.tracking_id,
        state=DocumentState.PENDING,
        attempts=1,
        lease_expires_at=seconds_from_now(tunables().DOCUMENT_LEASE),
    )
    if isinstance(answer, DocumentLink):
        row.link = make_storable(str(answer.url))
        row.content_types = [make_storable(str(name))[:50] for name in answer.content_types]
    return row


def _link_of(row: StoredDocument) -> DocumentLink | None:
    url = readable_or(row, "link", None)
    return DocumentLink(url, row.kind, tuple(row.content_types)) if url else None


def _claim() -> StoredDocument | None:
    """Claim the document that has been due for longest."""
    rows = _pending().filter(due(), unclaimed()).select_related("shipment__account")
    with transaction.atomic():
        lease_end = seconds_from_now(tunables().DOCUMENT_LEASE)
        taken = claim(rows.order_by("next_attempt_at"), limit=1, lease_expires_at=lease_end)
        if not taken:
            return None
        row = taken[0]
        # Its last worker died. That counts as a failure, in case the document kills its workers.
        row.failures += row.lease_expires_at is not None
        row.attempts += 1
        row.save(update_fields=["attempts", "failures"])
    return row


def _attempt(row: StoredDocument, answer: object) -> None:
    shipment = row.shipment
    try:
        document = as_document(shipment.account, row.kind, answer, OPERATION)
    except CourierError as error:
        _put_off(row, error)
        return
    except UnknownCourier as error:  # its plug-in has been taken out
        _put_off(row, Unknown(str(error)))
        return
    if not store(shipment, row.kind, row.tracking_id, document):
        _put_off(row, Unknown("the storage of documents did not take it"))


def _put_off(row: StoredDocument, error: CourierError) -> None:
    """Schedule the next attempt, or give the document up after DOCUMENT_FAILURES.

    A link that may not be fetched, and bytes, which are gone, are given up at once. What was not
    sent, for example because too many calls are under way, is not a failure.
    """
    limits = tunables()
    failures = row.failures + (not isinstance(error, NotSent))
    changes = {"failures": failures, "reason": reason_text(error), "lease_expires_at": None}
    mine = _pending().filter(
        shipment=row.shipment_id,
        kind=row.kind,
        tracking_id=row.tracking_id,
        attempts=row.attempts,
    )
    is_over = failures >= limits.DOCUMENT_FAILURES or readable_or(row, "link", "?") is None
    # A link that is not there may be a little early.
    if is_over or (isinstance(error, Rejected) and not isinstance(error, NotFound)):
        mine.update(**changes, state=DocumentState.FAILED)
        log.error("document_failed", shipment=row.shipment_id, kind=row.kind, failures=failures)
        return
    pauses = DoublingPauses(limits.DOCUMENT_BACKOFF, limits.DOCUMENT_LONGEST_BACKOFF)
    delay = back_off(failures, pauses, error.retry_after)
    mine.update(**changes, next_attempt_at=seconds_from_now(delay))
    log.warning("document_put_off", shipment=row.shipment_id, error=type(error).__name__)
