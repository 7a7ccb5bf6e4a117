"""Draining the inbox: batches that several workers take side by side, one commit each.

A batch is claimed, applied and marked in one transaction, so a crash leaves it as it was. One
event that cannot be applied, or whose shipment somebody else holds, is set aside and does not
hold up the others.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone
from psycopg.errors import LockNotAvailable

from couriers.conf import tunables
from couriers.contract.receiver import CourierEvent, MalformedEvent, Topic, WebhookReceiver
from couriers.contract.registry import CourierFactory
from couriers.contract.text import storable
from couriers.models import CourierAccount
from couriers.models.claims import back_off, due, lock, seconds_from_now
from couriers.tracking.events import Applied, apply_events
from webhooks import metrics
from webhooks.models import EventState, WebhookEvent
from webhooks.payloads import NotAnEvent, read

log = structlog.get_logger(__name__)

# Seconds until the next attempt, after each failure.
BACK_OFF = (10, 60, 600, 3600, 21600)
# An early event's shipment is usually a moment away, so it is looked for soon and then seldom.
EARLY_BACK_OFF = (1, 3, 10, 60, 600)
# Milliseconds that a batch waits for a row that somebody else holds, and what a part of it waits
# once that was too long: whoever holds it is not about to let go.
LOCK_WAIT, LOCK_WAIT_OF_A_PART = 2000, 20
HELD_BACK_OFF = 10

_UPDATE = f"""
UPDATE {WebhookEvent._meta.db_table} AS event
SET state = given.state, attempts = given.attempts, next_attempt_at = given.next_attempt_at,
    reason = given.reason
FROM unnest(%s::bigint[], %s::text[], %s::smallint[], %s::timestamptz[], %s::text[])
    AS given (id, state, attempts, next_attempt_at, reason)
WHERE event.id = given.id
"""  # noqa: S608 - the table's own name


@dataclass(slots=True)
class Drained:
    """What became of the events that were taken."""

    processed: int = 0
    waiting: int = 0
    held: int = 0
    failed: int = 0
    dead: int = 0

    @property
    def taken(self) -> int:
        return self.processed + self.waiting + self.held + self.failed + self.dead


@dataclass(slots=True)
class _Verdicts:
    """How each event of a batch is to be marked.

    An attempt is counted when it is marked, for a part of a batch may be applied several times.
    """

    processed: list[WebhookEvent] = field(default_factory=list)
    waiting: list[WebhookEvent] = field(default_factory=list)
    held: list[WebhookEvent] = field(default_factory=list)
    failed: list[WebhookEvent] = field(default_factory=list)
    dead: list[WebhookEvent] = field(default_factory=list)
    couriers: dict[str, str] = field(default_factory=dict)

    def add(self, other: _Verdicts) -> None:
        self.processed += other.processed
        self.waiting += other.waiting
        self.held += other.held
        self.failed += other.failed
        self.dead += other.dead
        self.couriers |= other.couriers


def drain() -> Drained:
    """Take and apply one batch of due events; `taken` is 0 when nothing is due.

    Raises OperationalError or InterfaceError when the database is away: nothing was changed
    then, and the events are still due.
    """
    return _drain_batch(tunables().INBOX_BATCH)


def _drain_batch(limit: int) -> Drained:
    with transaction.atomic():
        events = _lock_due(limit)
        if not events:
            return Drained()
        _wait_for_locks(LOCK_WAIT)
        verdicts = _apply_what_can_be(events)
        _mark(verdicts)
    _count(verdicts)
    return Drained(
        processed=len(verdicts.processed),
        waiting=len(verdicts.waiting),
        held=len(verdicts.held),
        failed=len(verdicts.failed),
        dead=len(verdicts.dead),
    )


def _lock_due(limit: int) -> list[WebhookEvent]:
    """Due events, locked until the transaction ends: they need no lease."""
    states = [EventState.PENDING, EventState.FAILED]
    rows = WebhookEvent.objects.filter(due(), state__in=states)
    return lock(rows.order_by("next_attempt_at"), limit=limit)


def _wait_for_locks(milliseconds: int) -> None:
    """For how long the rest of the transaction waits for a lock before that is an error."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = {milliseconds}")


def _apply_what_can_be(events: Sequence[WebhookEvent]) -> _Verdicts:
    """Apply the events together; where that fails, each half for itself, down to the culprit."""
    try:
        with transaction.atomic():
            return _apply(events)
    except (OperationalError, InterfaceError) as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        _wait_for_locks(LOCK_WAIT_OF_A_PART)
        return _apply_halves(events) if len(events) > 1 else _hold(events[0])
    except Exception as error:
        if len(events) > 1:
            return _apply_halves(events)
        log.exception("event_failed", event_id=events[0].pk)
        verdicts = _Verdicts()
        _fail(events[0], f"{type(error).__name__} while it was applied", verdicts)
        return verdicts


def _apply_halves(events: Sequence[WebhookEvent]) -> _Verdicts:
    half = len(events) // 2
    verdicts = _apply_what_can_be(events[:half])
    verdicts.add(_apply_what_can_be(events[half:]))
    return verdicts


def _apply(events: Sequence[WebhookEvent]) -> _Verdicts:
    verdicts = _Verdicts()
    by_account: dict[str, list[WebhookEvent]] = defaultdict(list)
    for event in events:
        by_account[event.account_id].append(event)
    accounts = CourierAccount.objects.only("id", "courier", "company").in_bulk(by_account)
    for account_id in sorted(by_account):
        account = accounts.get(account_id)
        if account is None:
            for event in by_account[account_id]:
                _bury(event, "Its account is gone", verdicts)
        else:
            verdicts.couriers[account_id] = account.courier_id
            _apply_to_account(account, by_account[account_id], verdicts)
    return verdicts


def _apply_to_account(
    account: CourierAccount, events: Sequence[WebhookEvent], verdicts: _Verdicts
) -> None:
    receiver = CourierFactory.receiver(account.courier_id)
    parsed: list[tuple[WebhookEvent, Sequence[CourierEvent]]] = []
    for event in events:
        if receiver is None:
            _fail(event, f"No plug-in reads {account.courier_id}", verdicts)
            continue
        try:
            parsed.append((event, _parse(receiver, event)))
        except (MalformedEvent, NotAnEvent) as error:
            _bury(event, f"The body {error}", verdicts)
        except Exception as error:
            log.exception("event_failed", event_id=event.pk)
            _fail(event, f"{type(error).__name__} while it was read", verdicts)
    flat = [one for _, found in parsed for one in found]
    answers = iter(apply_events(account, flat) if flat else [])
    for event, found in parsed:
        if Applied.UNKNOWN_SHIPMENT in [next(answers) for _ in found]:
            _wait(event, verdicts)
        else:
            verdicts.processed.append(event)


def _parse(receiver: WebhookReceiver, event: WebhookEvent) -> Sequence[CourierEvent]:
    """The events of a callback, as the body and the URL it came by tell them together."""
    found = receiver.parse(read(bytes(event.body)))
    for one in found:
        for text in (one.tracking_id, one.order_number, one.waybill, one.vendor):
            if text != storable(text):
                raise MalformedEvent("has an id with characters that no id has")
    if event.topic != Topic.SHIPMENT_RECREATED:
        return found
    return [
        dataclasses.replace(one, topic=Topic.SHIPMENT_RECREATED)
        if one.topic == Topic.SHIPMENT_CREATED
        else one
        for one in found
    ]


def _hold(event: WebhookEvent) -> _Verdicts:
    """Somebody else holds its shipment: wait a little, which is no fault of the event's."""
    log.warning("event_held", event_id=event.pk)
    event.state, event.reason = EventState.FAILED, "Another transaction holds its shipment"
    event.next_attempt_at = seconds_from_now(HELD_BACK_OFF)
    return _Verdicts(held=[event])


def _wait(event: WebhookEvent, verdicts: _Verdicts) -> None:
    """Its shipment is not known yet: wait, for a day at most.

    A day in which no worker ran is not held against it: it is looked for several times anyhow.
    """
    patience = dt.timedelta(seconds=tunables().INBOX_EARLY_EVENT_WAIT)
    tried = event.attempts >= len(EARLY_BACK_OFF)
    if tried and timezone.now() - event.received_at >= patience:
        _bury(event, "No shipment of this account has that tracking id or order", verdicts)
        return
    event.state, event.reason = EventState.FAILED, "Waiting for its shipment"
    event.next_attempt_at = seconds_from_now(back_off(event.attempts + 1, EARLY_BACK_OFF))
    verdicts.waiting.append(event)


def _fail(event: WebhookEvent, reason: str, verdicts: _Verdicts) -> None:
    if event.attempts >= len(BACK_OFF):
        _bury(event, reason, verdicts)
        return
    event.next_attempt_at = seconds_from_now(back_off(event.attempts + 1, BACK_OFF))
    event.state, event.reason = EventState.FAILED, storable(reason)[:500]
    verdicts.failed.append(event)


def _bury(event: WebhookEvent, reason: str, verdicts: _Verdicts) -> None:
    event.state, event.reason = EventState.DEAD, storable(reason)[:500]
    verdicts.dead.append(event)


def _mark(verdicts: _Verdicts) -> None:
    if verdicts.processed:
        WebhookEvent.objects.filter(pk__in=[e.pk for e in verdicts.processed]).update(
            state=EventState.PROCESSED, processed_at=timezone.now(), reason=""
        )
    for event in (*verdicts.waiting, *verdicts.failed):
        event.attempts = min(event.attempts + 1, 32_000)
    changed = [*verdicts.waiting, *verdicts.held, *verdicts.failed, *verdicts.dead]
    if changed:
        with connection.cursor() as cursor:
            cursor.execute(
                _UPDATE,
                [
                    [e.pk for e in changed],
                    [str(e.state) for e in changed],
                    [e.attempts for e in changed],
                    [e.next_attempt_at for e in changed],
                    [e.reason for e in changed],
                ],
            )


def _count(verdicts: _Verdicts) -> None:
    """Once it is committed, so that nothing is counted that was rolled back."""
    now = timezone.now()
    for event in verdicts.processed:
        metrics.APPLIED_AFTER.observe((now - event.received_at).total_seconds())
    counts: Counter[tuple[str, str, str]] = Counter()
    for status in ("processed", "waiting", "held", "failed", "dead"):
        for event in getattr(verdicts, status):
            counts[verdicts.couriers.get(event.account_id, "unknown"), event.topic, status] += 1
    for (courier, topic, status), count in counts.items():
        metrics.events(courier).labels(topic, status).inc(count)
