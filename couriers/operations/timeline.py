"""What happened to a shipment, from every table that knows of it, in one order of time.

A source gives entries of one kind. Other apps register theirs in `ready()`. Each makes a statement
that reads no more rows than it returns, however many there are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.db.models import TextChoices

from couriers.contract.masking import mask_text
from couriers.models import AuditEntry, CourierCall, Scan, Shipment, ShipmentAction
from couriers.models.asked import AskedState
from couriers.models.call import Outcome
from couriers.operations.flags import sentence_of

PER_PAGE = 50


class EntryKind(TextChoices):
    """What an entry is about. The timeline is filtered by it."""

    SCAN = "scan", "Scans"
    CALLBACK = "callback", "Callbacks"
    CALL = "call", "Calls to the courier"
    ACTION = "action", "Actions"
    FLAG = "flag", "Flags"
    DECISION = "decision", "Decisions"
    BOOKING = "booking", "Booking"


@dataclass(frozen=True, slots=True)
class Entry:
    """One event. `tone` is a colour of the admin's labels, "default" for no news good or bad.

    `who` is the person behind it, "" where it was the courier or the platform.
    """

    at: dt.datetime
    kind: EntryKind
    title: str
    text: str = ""
    who: str = ""
    tone: str = "default"


@dataclass(frozen=True, slots=True)
class Timeline:
    """A page of entries, the newest first. `older` is the time before which the next page is."""

    entries: Sequence[Entry]
    older: dt.datetime | None = None


# Returns entries of a shipment that are older than the time, at most so many, the newest first.
Source = Callable[[Shipment, dt.datetime, int], Iterable[Entry]]
_sources: dict[EntryKind, Source] = {}


def register(kind: EntryKind, source: Source) -> None:
    """Have the entries of a kind come from this source."""
    _sources[kind] = source


def timeline_of(
    shipment: Shipment, before: dt.datetime | None = None, kind: EntryKind | None = None
) -> Timeline:
    """Return a page of what happened before a time (None: up to now and later), of one kind or all.

    Entries of one instant stay together on a page.
    """
    end = before or dt.datetime.max.replace(tzinfo=dt.UTC) - dt.timedelta(days=1)
    sources = [_sources[kind]] if kind in _sources else [] if kind else list(_sources.values())
    found: list[Entry] = []
    for source in sources:
        found += source(shipment, end, 2 * PER_PAGE)
    found.sort(key=lambda entry: entry.at, reverse=True)
    if len(found) <= PER_PAGE:
        return Timeline(found)
    last = found[PER_PAGE - 1].at
    shown = [entry for entry in found if entry.at >= last]
    return Timeline(shown, older=last if len(found) > len(shown) else None)


def own_texts(shipment: Shipment) -> list[str]:
    """The numbers of a shipment, which stay readable where texts are masked."""
    return [
        shipment.order_number, shipment.tracking_id, shipment.waybill,
        *shipment.former_tracking_ids,
    ]  # fmt: skip


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _scans(shipment: Shipment, end: dt.datetime, limit: int) -> Iterator[Entry]:
    keep = own_texts(shipment)
    for scan in Scan.objects.filter(shipment=shipment, at__lt=end).order_by("-at", "-id")[:limit]:
        words = _joined(scan.courier_type, scan.courier_status, scan.courier_code)
        remark = "lifted by an operator" if scan.lifted else ""
        if scan.ignored:
            remark = "does not count: it is later than the end, or in the future"
        text = _joined(
            scan.location, words if scan.status else "", scan.ndr_reason, scan.description, remark
        )
        title = str(scan.get_status_display()) or f"Unknown status: {words}"
        yield Entry(scan.at, EntryKind.SCAN, title, mask_text(text, keep))


def _calls(shipment: Shipment, end: dt.datetime, limit: int) -> Iterator[Entry]:
    rows = CourierCall.objects.filter(shipment=shipment, started_at__lt=end)
    keep = own_texts(shipment)
    tones = {Outcome.OK: "success", Outcome.PENDING: "default", Outcome.UNKNOWN: "danger"}
    for call in rows.order_by("-started_at", "-id")[:limit]:
        took = ""
        if call.finished_at is not None:
            took = f"{(call.finished_at - call.started_at).total_seconds():.1f} s"
        status = f"HTTP {call.http_status}" if call.http_status else ""
        text = _joined(mask_text(call.message, keep), call.code, status, took)
        operation = call.operation.replace("_", " ")
        outcome = Outcome(call.outcome)
        yield Entry(
            call.started_at, EntryKind.CALL, f"Call: {operation}, {outcome.label.lower()}", text,
            tone=tones.get(outcome, "warning"),
        )  # fmt: skip


def _actions(shipment: Shipment, end: dt.datetime, limit: int) -> Iterator[Entry]:
    rows = ShipmentAction.objects.filter(shipment=shipment, asked_at__lt=end)
    tones = {
        AskedState.DONE: "success", AskedState.REFUSED: "warning", AskedState.UNKNOWN: "danger",
    }  # fmt: skip
    for row in rows.select_related("asked_by").order_by("-asked_at", "-id")[:limit]:
        kind, state = row.get_kind_display(), AskedState(row.state)
        day = f"for {row.day:%-d %B %Y}" if row.day else ""
        yield Entry(
            row.asked_at, EntryKind.ACTION, f"Asked for: {kind.lower()}", _joined(day, row.reason),
            who=_asker(row),
        )  # fmt: skip
        if row.ended_at is not None and row.ended_at < end:
            yield Entry(
                row.ended_at, EntryKind.ACTION, f"{kind}: {state.label.lower()}", row.words,
                tone=tones.get(state, "default"),
            )  # fmt: skip


def _asker(row: ShipmentAction) -> str:
    if row.asked_by is not None:
        return str(row.asked_by)
    return f"API key {row.key_prefix}…" if row.key_prefix else "the platform"


def _flags(shipment: Shipment, end: dt.datetime, limit: int) -> Iterator[Entry]:
    for flag in shipment.flags.all():  # few, and the page has read them already
        sentence = sentence_of(flag)
        if flag.raised_at < end:
            yield Entry(flag.raised_at, EntryKind.FLAG, "Flag raised", sentence, tone="danger")
        if flag.cleared_at is not None and flag.cleared_at < end:
            who = str(flag.cleared_by) if flag.cleared_by else "the platform"
            text = _joined(flag.clear_reason, sentence)
            yield Entry(flag.cleared_at, EntryKind.FLAG, "Flag cleared", text, who)


def _decisions(shipment: Shipment, end: dt.datetime, limit: int) -> Iterator[Entry]:
    rows = AuditEntry.objects.filter(shipment=shipment, at__lt=end).select_related("actor")
    for entry in rows.order_by("-at", "-id")[:limit]:
        title = entry.action.replace("_", " ").capitalize()
        who = entry.actor_name or (str(entry.actor) if entry.actor else "the platform")
        yield Entry(entry.at, EntryKind.DECISION, title, entry.reason, who)


def _booking(shipment: Shipment, end: dt.datetime, limit: int) -> Iterator[Entry]:
    """The times that the shipment itself has. No statement."""
    moments = (
        (shipment.created_at, "Order taken", ""),
        (shipment.booked_at, "Booked", shipment.tracking_id),
        (shipment.confirmed_at, "Confirmed by the courier's own callback", ""),
        (shipment.recreated_at, "Given another tracking id by the courier", shipment.tracking_id),
        (shipment.erased_at, "Consignee erased", ""),
    )
    for at, title, text in moments:
        if at is not None and at < end:
            yield Entry(at, EntryKind.BOOKING, title, text)


register(EntryKind.SCAN, _scans)
register(EntryKind.CALL, _calls)
register(EntryKind.ACTION, _actions)
register(EntryKind.FLAG, _flags)
register(EntryKind.DECISION, _decisions)
register(EntryKind.BOOKING, _booking)
