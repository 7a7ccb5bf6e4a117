"""Manifests of any size, made in chunks: each chunk is one call to the courier.

The chunks are stored in PostgreSQL, which is the only record of the work. A chunk is claimed with a
lease, so that another worker takes over the chunk of a killed worker. A chunk with an unknown
outcome is made again: the courier then makes one more document, which does no harm. The last chunk
to end finishes the manifest.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, F, Min, OuterRef, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from couriers.conf import tunables
from couriers.contract import india
from couriers.contract.adapter import Capability
from couriers.contract.documents import Document, DocumentLink
from couriers.contract.errors import (
    CircuitOpen,
    CourierError,
    FieldProblem,
    InvalidRequest,
    NotSupported,
    RateLimited,
    Rejected,
)
from couriers.contract.platform_errors import ActionNotAllowed
from couriers.contract.registry import CourierFactory
from couriers.contract.statuses import AWAITING_PICKUP
from couriers.contract.text import make_storable
from couriers.contract.types import Direction
from couriers.documents.sealed_files import SealedFile
from couriers.fulfilment import manifest_documents
from couriers.models import CourierAccount, Manifest, ManifestChunk, Shipment
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
from couriers.models.fields import MAX_ERROR_TEXT
from couriers.models.manifest import ManifestState
from couriers.models.transactions import refuse_open_transaction
from couriers.resilience import waits

MAX_SHIPMENTS = 10_000  # in one request
MAX_NAMED = 20  # shipments that an error names


@dataclass(frozen=True, slots=True)
class CreatedManifest:
    """The manifest of a request. `left_out` counts the shipments that were already in a manifest.

    Where all of them were, `manifest` is the newest of their manifests, and `is_new` is False.
    """

    manifest: Manifest
    is_new: bool
    left_out: int


def create_for_day(
    account: CourierAccount, day: dt.date, *, again: bool = False
) -> CreatedManifest:
    """Create a manifest of the shipments booked on a day (India time) that await their pickup.

    With `again`, shipments that are already in a manifest are taken too. Raises NotSupported where
    the courier makes no manifests, and ActionNotAllowed where no shipment is left.
    """
    start, end = india.day_span(day)
    booked = _awaiting_pickup(account).filter(booked_at__gte=start, booked_at__lt=end)
    return _create(account, booked, again=again)


def create_for_shipments(
    account: CourierAccount, shipment_ids: Sequence[str], *, again: bool = False
) -> CreatedManifest:
    """Create a manifest of 1 to MAX_SHIPMENTS shipments of the account; see `create_for_day`.

    Raises InvalidRequest naming `shipments[n]` for a shipment that the account does not have, and
    ActionNotAllowed where a shipment does not await its pickup.
    """
    asked = list(dict.fromkeys(shipment_ids))
    if not 0 < len(asked) <= MAX_SHIPMENTS:
        raise InvalidRequest([FieldProblem("shipments", f"must be 1 to {MAX_SHIPMENTS}")])
    _check_awaiting_pickup(account, shipment_ids)
    return _create(account, _awaiting_pickup(account).filter(pk__in=asked), again=again)


def make_chunk(chunk_id: int) -> float | None:
    """Have the courier make one chunk, if it is due and unclaimed.

    Returns the seconds after which to try it again, or None when nothing is left to do. Raises
    InsideTransaction if a transaction is open.
    """
    refuse_open_transaction("make_chunk()")
    chunk = _claim(chunk_id)
    if chunk is None:
        return None
    try:
        with waits.allow_long_waits():
            document = manifest_documents.kept_link(chunk) or _ask_courier(chunk)
            file = manifest_documents.store(chunk, document)
    except Rejected as error:
        _give_up(chunk, error.reason)
    except CourierError as error:
        if isinstance(error, manifest_documents.LinkGone):
            _if_not_taken_over(chunk).update(link=None)
        return _put_off(chunk, error)
    else:
        _store_document(chunk, file)
    finish(chunk.manifest_id)
    return None


def due_chunks(manifest_id: str = "") -> QuerySet[ManifestChunk]:
    """Chunks that may be made now, of one manifest or of all, oldest first."""
    rows = ManifestChunk.objects.filter(due(), unclaimed(), state=ManifestState.PENDING)
    return (rows.filter(manifest_id=manifest_id) if manifest_id else rows).order_by("id")


def bring_forward_late_chunks() -> None:
    """Make due the new chunks that are due later: the database's clock was set back."""
    new = ManifestChunk.objects.filter(state=ManifestState.PENDING, attempts=0)
    bring_forward(new, longest_pause=0)


def seconds_until_due(manifest_id: str) -> float | None:
    """Return the seconds until the next attempt of a chunk that no worker has, or None.

    None means that the manifest's chunks have ended or have workers. The workers go on, and where
    one has died, the sweeper does.
    """
    waiting = ManifestChunk.objects.filter(
        unclaimed(), manifest_id=manifest_id, state=ManifestState.PENDING
    )
    left: dt.timedelta | None = waiting.aggregate(left=Min(F("next_attempt_at") - Now()))["left"]
    return None if left is None else left.total_seconds()


def unfinished() -> QuerySet[Manifest]:
    """Pending manifests whose chunks have all ended, oldest first: `finish` did not end them."""
    pending = ManifestChunk.objects.filter(manifest=OuterRef("pk"), state=ManifestState.PENDING)
    return Manifest.objects.filter(~Exists(pending), state=ManifestState.PENDING).order_by("id")


def finish(manifest_id: str) -> bool:
    """End the manifest if none of its chunks is pending; return whether it has ended.

    It may be called any number of times. A Celery chord would keep the chunks' results in Redis,
    but only the database may know which chunks are left.
    """
    with transaction.atomic():
        manifest = Manifest.objects.select_for_update().get(pk=manifest_id)
        states = set(manifest.chunks.values_list("state", flat=True))
        if ManifestState.PENDING in states:
            return False
        if manifest.state == ManifestState.PENDING:
            failed = ManifestState.FAILED in states
            manifest.state = ManifestState.FAILED if failed else ManifestState.DONE
            manifest.finished_at = timezone.now()
            manifest.save(update_fields=["state", "finished_at"])
    return True


def _check_awaiting_pickup(account: CourierAccount, shipment_ids: Sequence[str]) -> None:
    found = {
        pk: (status, direction)
        for pk, status, direction in Shipment.objects.filter(
            account=account, pk__in=set(shipment_ids)
        ).values_list("pk", "status", "direction")
    }
    unknown = [
        FieldProblem(f"shipments[{number}]", "is not a shipment with this courier")
        for number, pk in enumerate(shipment_ids)
        if pk not in found
    ]
    if unknown:
        raise InvalidRequest(unknown[:MAX_NAMED], courier=account.courier_id)
    wrong = [
        pk
        for pk, (status, direction) in found.items()
        if status not in AWAITING_PICKUP or direction != Direction.FORWARD
    ]
    if wrong:
        raise ActionNotAllowed(
            "not-awaiting-pickup",
            "Some shipments do not await their pickup",
            ", ".join(sorted(wrong)[:MAX_NAMED]),
        )


def _awaiting_pickup(account: CourierAccount) -> QuerySet[Shipment]:
    return Shipment.objects.filter(
        account=account, direction=Direction.FORWARD, status__in=AWAITING_PICKUP
    )


def _create(
    account: CourierAccount, shipments: QuerySet[Shipment], *, again: bool
) -> CreatedManifest:
    """Store a manifest and its chunks.

    A lock on the account keeps two requests from putting one shipment in two manifests.
    """
    adapter = CourierFactory.get_adapter(account)
    if not adapter.supports(Capability.CREATE_MANIFEST):
        raise NotSupported(
            f"{adapter.name} makes no manifests",
            courier=account.courier_id,
            operation=Capability.CREATE_MANIFEST.value,
        )
    with transaction.atomic():
        CourierAccount.objects.select_for_update(no_key=True).get(pk=account.pk)
        ids = list(shipments.order_by("id").values_list("tracking_id", flat=True))
        held = {} if again else _manifests_by_tracking_id(account, ids)
        fresh = [tracking_id for tracking_id in ids if tracking_id not in held]
        if fresh:
            manifest = Manifest.objects.create(company_id=account.company_id, account=account)
            ManifestChunk.objects.bulk_create(
                ManifestChunk(manifest=manifest, position=number, tracking_ids=part)
                for number, part in enumerate(_parts(fresh, adapter.manifest_size), start=1)
            )
            return CreatedManifest(manifest, is_new=True, left_out=len(held))
    if not held:
        raise ActionNotAllowed("nothing-to-manifest", "No shipment awaits a manifest")
    return CreatedManifest(
        Manifest.objects.get(pk=max(held.values())), is_new=False, left_out=len(held)
    )


def _manifests_by_tracking_id(
    account: CourierAccount, tracking_ids: Sequence[str]
) -> dict[str, str]:
    """The id of the newest manifest by tracking id. Failed chunks do not count."""
    held: dict[str, str] = {}
    for part in _parts(tracking_ids, 1000):
        wanted = set(part)
        chunks = (
            ManifestChunk.objects.filter(manifest__account=account, tracking_ids__overlap=part)
            .exclude(state=ManifestState.FAILED)
            .order_by("manifest_id")
        )
        for manifest_id, ids in chunks.values_list("manifest_id", "tracking_ids"):
            held.update(dict.fromkeys(wanted.intersection(ids), manifest_id))
    return held


def _parts(ids: Sequence[str], size: int) -> list[list[str]]:
    return [list(ids[start : start + size]) for start in range(0, len(ids), size)]


def _claim(chunk_id: int) -> ManifestChunk | None:
    limits = tunables()
    rows = due_chunks().select_related("manifest__account").filter(pk=chunk_id)
    with transaction.atomic():
        lease_end = seconds_from_now(limits.MANIFEST_LEASE)
        taken = claim(rows, limit=1, lease_expires_at=lease_end)
        if not taken:
            return None
        chunk = taken[0]
        if chunk.lease_expires_at is not None:
            # Its last worker died. That counts as a failure, in case the chunk kills its workers.
            chunk.failures += 1
        chunk.attempts += 1
        chunk.save(update_fields=["attempts", "failures"])
    if chunk.failures >= limits.MANIFEST_FAILURES:
        _give_up(chunk, f"given up after {chunk.failures} failures: its workers died")
        finish(chunk.manifest_id)
        return None
    return chunk


def _ask_courier(chunk: ManifestChunk) -> Document | DocumentLink:
    """Have the courier make the chunk, and note its number and link. Raises its errors."""
    made = manifest_documents.make(chunk)
    link = make_storable(made.document.url) if isinstance(made.document, DocumentLink) else None
    chunk.number = made.number[:50]
    _if_not_taken_over(chunk).update(number=chunk.number, link=link)
    return made.document


def _store_document(chunk: ManifestChunk, file: SealedFile) -> None:
    # Also from an attempt whose lease is over: its document lists the same shipments.
    stored = ManifestChunk.objects.filter(pk=chunk.pk, state=ManifestState.PENDING).update(
        state=ManifestState.DONE,
        number=chunk.number,
        link=None,
        file=file.name,
        file_key=file.key,
        size=file.size,
        reason="",
        lease_expires_at=None,
        finished_at=timezone.now(),
    )
    if not stored:
        manifest_documents.discard(file)


def _put_off(chunk: ManifestChunk, error: CourierError) -> float | None:
    """Schedule the chunk's next attempt, or give it up after MANIFEST_FAILURES.

    A call that the rate limiter or an open circuit held back is not a failure. Returns the seconds
    until the next attempt, or None where there is none or another worker has taken the chunk over.
    """
    limits = tunables()
    failures = chunk.failures + (not isinstance(error, (RateLimited, CircuitOpen)))
    if failures >= limits.MANIFEST_FAILURES:
        _give_up(chunk, f"given up after {failures} failures: {error.reason}")
        finish(chunk.manifest_id)
        return None
    pauses = DoublingPauses(limits.MANIFEST_BACKOFF, limits.MANIFEST_LONGEST_BACKOFF)
    delay = back_off(failures, pauses, error.retry_after)
    put_off = _if_not_taken_over(chunk).update(
        failures=failures,
        reason=reason_text(error),
        lease_expires_at=None,
        next_attempt_at=seconds_from_now(delay),
    )
    return delay if put_off else None


def _give_up(chunk: ManifestChunk, reason: str) -> None:
    _if_not_taken_over(chunk).update(
        state=ManifestState.FAILED,
        failures=F("failures") + 1,
        reason=make_storable(reason)[:MAX_ERROR_TEXT],
        lease_expires_at=None,
        finished_at=timezone.now(),
    )


def _if_not_taken_over(chunk: ManifestChunk) -> QuerySet[ManifestChunk]:
    """The pending chunk as a queryset; empty where another worker has claimed it since."""
    return ManifestChunk.objects.filter(
        pk=chunk.pk, state=ManifestState.PENDING, attempts=chunk.attempts
    )
