"""Processing the inbox: workers claim due events in batches and apply each batch in one commit.

A batch is claimed, applied and marked in one transaction, so that a crash leaves it unchanged.
An event that cannot be applied, or whose shipment is locked, is set aside and does not hold up
the rest of its batch.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from psycopg.errors import LockNotAvailable

from couriers.conf import tunables
from couriers.contract.logs import get_logger
from couriers.contract.receiver import CourierEvent, MalformedEvent, Topic, WebhookReceiver
from couriers.contract.registry import CourierFactory
from couriers.contract.request_ids import KEY
from couriers.contract.text import is_storable, make_storable
from couriers.models import CourierAccount
from couriers.models.claims import back_off, bring_forward, due, lock_rows
from couriers.resilience.database import is_outage
from couriers.tracking.events import Applied, apply_events
from webhooks import metrics
from webhooks.metrics import STATUSES
from webhooks.models import EventState, WebhookEvent
from webhooks.payloads import UndecryptableBody, UnreadableBody, parse_body

log = get_logger(__name__)

# Pauses after each failure, in seconds. After the failure that follows the last one it is dead.
BACK_OFF = (10, 60, 600, 3600, 21600)
# Pauses of an event that came before its shipment, in seconds: most shipments follow soon. The last
# pause repeats until INBOX_EARLY_EVENT_WAIT is over.
EARLY_BACK_OFF = (1, 3, 10, 60, 600)
# Milliseconds that a batch waits for a locked row. After that its parts wait less: the lock is not
# a short one.
LOCK_TIMEOUT, PART_LOCK_TIMEOUT = 2000, 20
# The pause of an event whose shipment stayed locked, in seconds.
HELD_BACK_OFF = 10
MAX_ATTEMPTS_STORED = 32_000  # the column is a smallint
MAX_REASON = 500  # characters

_UPDATE = f"""
UPDATE {WebhookEvent._meta.db_table} AS event
SET state = given.state, attempts = given.attempts, reason = given.reason,
    next_attempt_at = CASE WHEN given.pause IS NULL THEN event.next_attempt_at
        ELSE statement_timestamp() + given.pause * interval '1 second' END
FROM unnest(%s::bigint[], %s::text[], %s::smallint[], %s::float8[], %s::text[])
    AS given (id, state, attempts, pause, reason)
WHERE event.id = given.id
"""  # noqa: S608 - the table's own name


@dataclass(slots=True)
class BatchResult:
    """How many events of a batch ended in each status."""

    processed: int = 0
    waiting: int = 0
    held: int = 0
    failed: int = 0
    dead: int = 0

    @property
    def claimed(self) -> int:
        """How many events the batch had."""
        return self.processed + self.waiting + self.held + self.failed + self.dead


@dataclass(slots=True)
class _Outcomes:
    """The events of a batch by status, not yet written to the table.

    Attempts are counted when they are written, since a part of a batch may be applied repeatedly.
    """

    processed: list[WebhookEvent] = field(default_factory=list)
    erased: list[WebhookEvent] = field(default_factory=list)  # those of `processed` to be erased
    waiting: list[WebhookEvent] = field(default_factory=list)
    held: list[WebhookEvent] = field(default_factory=list)
    failed: list[WebhookEvent] = field(default_factory=list)
    dead: list[WebhookEvent] = field(default_factory=list)
    couriers: dict[str, str] = field(default_factory=dict)  # courier code by account id
    pauses: dict[int, float] = field(default_factory=dict)  # seconds to the next attempt by event

    def add(self, other: _Outcomes) -> None:
        """Add the events of another part of the batch."""
        self.processed += other.processed
        self.erased += other.erased
        self.waiting += other.waiting
        self.held += other.held
        self.failed += other.failed
        self.dead += other.dead
        self.couriers |= other.couriers
        self.pauses |= other.pauses


def process_batch() -> BatchResult:
    """Claim and apply one batch of at most INBOX_BATCH due events; `claimed` is 0 if none is due.

    Raises an error of the database when it cannot serve (couriers.resilience.database). Nothing has
    changed then and the events are still due.
    """
    with transaction.atomic():
        events = _lock_due(tunables().INBOX_BATCH)
        if not events:
            return BatchResult()
        _set_lock_timeout(LOCK_TIMEOUT)
        outcomes = _apply_or_split(events)
        _write_outcomes(outcomes)
    # After the commit, so that nothing is counted that was rolled back.
    _count_outcomes(outcomes)
    return BatchResult(**{status: len(getattr(outcomes, status)) for status in STATUSES})


def bring_forward_late_events() -> int:
    """Make due the new events that are due later: the database's clock was set back."""
    return bring_forward(WebhookEvent.objects.filter(state=EventState.PENDING), longest_pause=0)


def _lock_due(limit: int) -> list[WebhookEvent]:
    """Lock due events, the longest due first, until the transaction ends: they need no lease."""
    states = [EventState.PENDING, EventState.FAILED]
    rows = WebhookEvent.objects.filter(due(), state__in=states)
    return lock_rows(rows.order_by("next_attempt_at"), limit=limit)


def _set_lock_timeout(milliseconds: int) -> None:
    """Limit each wait for a lock in the transaction; a longer one raises LockNotAvailable."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = {milliseconds}")


def _apply_or_split(events: Sequence[WebhookEvent]) -> _Outcomes:
    """Apply the events together. If that fails, apply each half by itself, down to one event."""
    try:
        with transaction.atomic():
            return _apply(events)
    except Exception as error:
        if isinstance(error.__cause__, LockNotAvailable):
            _set_lock_timeout(PART_LOCK_TIMEOUT)
            return _apply_halves(events) if len(events) > 1 else _postpone_held(events[0])
        if is_outage(error):
            raise
        if len(events) > 1:
            return _apply_halves(events)
        log.exception("event_failed", **_ids(events[0]))
        outcomes = _Outcomes()
        _retry_later(events[0], f"{type(error).__name__} while it was applied", outcomes)
        return outcomes


def _apply_halves(events: Sequence[WebhookEvent]) -> _Outcomes:
    half = len(events) // 2
    outcomes = _apply_or_split(events[:half])
    outcomes.add(_apply_or_split(events[half:]))
    return outcomes


def _apply(events: Sequence[WebhookEvent]) -> _Outcomes:
    """Apply the events account by account, in the order of ids, so that workers cannot deadlock."""
    outcomes = _Outcomes()
    by_account: dict[str, list[WebhookEvent]] = defaultdict(list)
    for event in events:
        by_account[event.account_id].append(event)
    accounts = CourierAccount.objects.only("id", "courier", "company").in_bulk(by_account)
    for account_id in sorted(by_account):
        account = accounts.get(account_id)
        if account is None:
            for event in by_account[account_id]:
                _dead_letter(event, "Its account has been deleted", outcomes)
        else:
            outcomes.couriers[account_id] = account.courier_id
            _apply_to_account(account, by_account[account_id], outcomes)
    return outcomes


def _apply_to_account(
    account: CourierAccount, events: Sequence[WebhookEvent], outcomes: _Outcomes
) -> None:
    receiver = CourierFactory.receiver(account.courier_id)
    parsed: list[tuple[WebhookEvent, Sequence[CourierEvent]]] = []
    for event in events:
        if receiver is None:
            _retry_later(event, f"No plug-in is registered for {account.courier_id}", outcomes)
            continue
        try:
            parsed.append((event, _parse(receiver, event)))
        except UndecryptableBody as error:
            # A process that has the key may come before the attempts are used up.
            log.error("callback_undecryptable", **_ids(event))
            _retry_later(event, f"The body {error}", outcomes)
        except (MalformedEvent, UnreadableBody) as error:
            _dead_letter(event, f"The body {error}", outcomes)
        except Exception as error:
            log.exception("event_failed", **_ids(event))
            _retry_later(event, f"{type(error).__name__} while it was read", outcomes)
    courier_events = [one for _, of_event in parsed for one in of_event]
    results = iter(apply_events(account, courier_events) if courier_events else [])
    for event, of_event in parsed:
        applied = [next(results) for _ in of_event]
        if Applied.UNKNOWN_SHIPMENT in applied:
            _wait_for_shipment(event, outcomes)
            continue
        outcomes.processed.append(event)
        if Applied.ERASED_SHIPMENT in applied:
            outcomes.erased.append(event)


def _parse(receiver: WebhookReceiver, event: WebhookEvent) -> Sequence[CourierEvent]:
    """Return the courier's events in a callback.

    A created event in a callback of the topic `shipment_recreated` is a recreated one: the URL
    decided the topic then. Raises UnreadableBody or MalformedEvent if it cannot be read.
    """
    courier_events = receiver.parse(parse_body(event.read_body()))
    for one in courier_events:
        for text in (one.tracking_id, one.order_number, one.waybill, one.vendor):
            if not is_storable(text):
                raise MalformedEvent("has an id with characters that cannot be stored")
    if event.topic != Topic.SHIPMENT_RECREATED:
        return courier_events
    return [
        dataclasses.replace(one, topic=Topic.SHIPMENT_RECREATED)
        if one.topic == Topic.SHIPMENT_CREATED
        else one
        for one in courier_events
    ]


def _postpone_held(event: WebhookEvent) -> _Outcomes:
    """Try the event again soon: its shipment is locked. This does not count as an attempt."""
    log.warning("event_held", **_ids(event))
    event.state, event.reason = EventState.FAILED, "Another transaction has its shipment locked"
    return _Outcomes(held=[event], pauses={event.pk: HELD_BACK_OFF})


def _wait_for_shipment(event: WebhookEvent, outcomes: _Outcomes) -> None:
    """Schedule another attempt, since its shipment is unknown; dead after INBOX_EARLY_EVENT_WAIT.

    It gets a minimum of attempts even after that time, in case no worker was running.
    """
    longest_wait = dt.timedelta(seconds=tunables().INBOX_EARLY_EVENT_WAIT)
    tried_enough = event.attempts >= len(EARLY_BACK_OFF)
    if tried_enough and timezone.now() - event.received_at >= longest_wait:
        _dead_letter(event, "No shipment of this account has that tracking id or order", outcomes)
        return
    event.state, event.reason = EventState.FAILED, "Waiting for its shipment"
    outcomes.pauses[event.pk] = back_off(event.attempts + 1, EARLY_BACK_OFF)
    outcomes.waiting.append(event)


def _retry_later(event: WebhookEvent, reason: str, outcomes: _Outcomes) -> None:
    """Schedule the next attempt after the pause of BACK_OFF; after the last one it is dead."""
    if event.attempts >= len(BACK_OFF):
        _dead_letter(event, reason, outcomes)
        return
    outcomes.pauses[event.pk] = back_off(event.attempts + 1, BACK_OFF)
    event.state, event.reason = EventState.FAILED, make_storable(reason)[:MAX_REASON]
    outcomes.failed.append(event)


def _dead_letter(event: WebhookEvent, reason: str, outcomes: _Outcomes) -> None:
    event.state, event.reason = EventState.DEAD, make_storable(reason)[:MAX_REASON]
    outcomes.dead.append(event)


def _write_outcomes(outcomes: _Outcomes) -> None:
    if outcomes.processed:
        WebhookEvent.objects.filter(pk__in=[e.pk for e in outcomes.processed]).update(
            state=EventState.PROCESSED, processed_at=timezone.now(), reason=""
        )
    if outcomes.erased:
        # The consignee was erased, and a late callback must not bring the data back.
        WebhookEvent.objects.filter(pk__in=[e.pk for e in outcomes.erased]).update(body=None)
    for event in (*outcomes.waiting, *outcomes.failed):
        event.attempts = min(event.attempts + 1, MAX_ATTEMPTS_STORED)
    changed = [*outcomes.waiting, *outcomes.held, *outcomes.failed, *outcomes.dead]
    if changed:
        with connection.cursor() as cursor:
            cursor.execute(
                _UPDATE,
                [
                    [e.pk for e in changed],
                    [str(e.state) for e in changed],
                    [e.attempts for e in changed],
                    [outcomes.pauses.get(e.pk) for e in changed],
                    [e.reason for e in changed],
                ],
            )


def _ids(event: WebhookEvent) -> dict[str, Any]:
    """By what a log line about the event is found: also by the id of the request that stored it."""
    return {"event_id": event.pk, KEY: event.request_id}


def _count_outcomes(outcomes: _Outcomes) -> None:
    now = timezone.now()
    for event in outcomes.processed:
        # The time of receipt is the database's, whose clock may be ahead.
        metrics.APPLY_SECONDS.observe(max(0.0, (now - event.received_at).total_seconds()))
    counts: Counter[tuple[str, str, str]] = Counter()
    for status in STATUSES:
        for event in getattr(outcomes, status):
            log.info("callback_processed", result=status, account=event.account_id, **_ids(event))
            counts[outcomes.couriers.get(event.account_id, "unknown"), event.topic, status] += 1
    for (courier, topic, status), count in counts.items():
        metrics.count_processed(courier, topic, status, count)
