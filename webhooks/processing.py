"""Draining the inbox: batches that several workers take side by side, one commit each.

A batch is claimed, applied and marked in one transaction, so a crash leaves it as it was. One
event that cannot be applied is set aside and does not hold up the others.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from couriers.conf import tunables
from couriers.factory import CourierFactory
from couriers.models import CourierAccount
from couriers.receiver import CourierEvent, MalformedEvent
from couriers.tracking import Applied, apply_events
from webhooks import metrics
from webhooks.models import EventState, WebhookEvent
from webhooks.payloads import NotAnEvent, read

log = structlog.get_logger(__name__)

BACK_OFF = [dt.timedelta(seconds=s) for s in (10, 60, 600, 3600, 21600)]
# An early event's shipment is usually a moment away, so it is looked for soon and then seldom.
EARLY_BACK_OFF = [dt.timedelta(seconds=s) for s in (1, 3, 10, 60, 600)]


@dataclass(slots=True)
class Drained:
    """What became of the events that were taken."""

    processed: int = 0
    waiting: int = 0
    failed: int = 0
    dead: int = 0

    @property
    def taken(self) -> int:
        return self.processed + self.waiting + self.failed + self.dead

    def add(self, other: Drained) -> None:
        self.processed += other.processed
        self.waiting += other.waiting
        self.failed += other.failed
        self.dead += other.dead


@dataclass(slots=True)
class _Verdicts:
    """How each event of a batch is to be marked."""

    processed: list[WebhookEvent] = field(default_factory=list)
    changed: list[WebhookEvent] = field(default_factory=list)


def drain() -> Drained:
    """Take and apply one batch of due events; `taken` is 0 when nothing is due."""
    try:
        return _drain_batch(tunables().INBOX_BATCH)
    except (OperationalError, InterfaceError):
        # The database itself: nothing was changed, and the events are still due.
        raise
    except Exception:
        log.exception("batch_failed")
        return _drain_singly(tunables().INBOX_BATCH)


def _due(limit: int) -> list[WebhookEvent]:
    return list(
        WebhookEvent.objects.select_for_update(skip_locked=True)
        .filter(
            state__in=[EventState.PENDING, EventState.FAILED], next_attempt_at__lte=timezone.now()
        )
        .order_by("next_attempt_at")[:limit]
    )


def _drain_batch(limit: int) -> Drained:
    with transaction.atomic():
        return _apply(_due(limit))


def _drain_singly(limit: int) -> Drained:
    """The same, each event for itself, so that only the culprit fails."""
    drained = Drained()
    with transaction.atomic():
        for event in _due(limit):
            try:
                with transaction.atomic():
                    drained.add(_apply([event]))
            except OperationalError:
                raise
            except Exception as error:
                log.exception("event_failed", event_id=event.pk)
                verdicts = _Verdicts()
                _failed(event, f"{type(error).__name__} while it was applied", verdicts)
                drained.add(_mark(verdicts))
    return drained


def _apply(events: Sequence[WebhookEvent]) -> Drained:
    verdicts = _Verdicts()
    by_account: dict[str, list[WebhookEvent]] = defaultdict(list)
    for event in events:
        by_account[event.account_id].append(event)
    accounts = CourierAccount.objects.in_bulk(by_account)
    for account_id in sorted(by_account):
        _apply_to_account(accounts[account_id], by_account[account_id], verdicts)
    return _mark(verdicts)


def _apply_to_account(
    account: CourierAccount, events: Sequence[WebhookEvent], verdicts: _Verdicts
) -> None:
    receiver = CourierFactory.receiver(account.courier_id)
    parsed: list[tuple[WebhookEvent, Sequence[CourierEvent]]] = []
    for event in events:
        if receiver is None:
            _failed(event, f"no plug-in reads {account.courier_id}", verdicts)
            continue
        try:
            parsed.append((event, receiver.parse(read(bytes(event.body)))))
        except (MalformedEvent, NotAnEvent) as error:
            _dead(event, f"The body {error}", verdicts)
    flat = [one for _, found in parsed for one in found]
    answers = iter(apply_events(account, flat) if flat else [])
    for event, found in parsed:
        mine = [next(answers) for _ in found]
        if Applied.UNKNOWN_SHIPMENT in mine:
            _early(event, verdicts)
        else:
            verdicts.processed.append(event)


def _early(event: WebhookEvent, verdicts: _Verdicts) -> None:
    """Its shipment is not known yet: wait, for a day at most."""
    patience = dt.timedelta(seconds=tunables().INBOX_EARLY_EVENT_WAIT)
    if timezone.now() - event.received_at >= patience:
        _dead(event, "No shipment of this account has that tracking id or order", verdicts)
        return
    delay = EARLY_BACK_OFF[min(event.attempts, len(EARLY_BACK_OFF) - 1)]
    event.attempts = min(event.attempts + 1, 32_000)
    event.state, event.reason = EventState.FAILED, "Waiting for its shipment"
    event.next_attempt_at = timezone.now() + delay
    verdicts.changed.append(event)


def _failed(event: WebhookEvent, reason: str, verdicts: _Verdicts) -> None:
    if event.attempts >= len(BACK_OFF):
        _dead(event, reason, verdicts)
        return
    event.next_attempt_at = timezone.now() + BACK_OFF[event.attempts]
    event.attempts += 1
    event.state, event.reason = EventState.FAILED, reason[:500]
    verdicts.changed.append(event)


def _dead(event: WebhookEvent, reason: str, verdicts: _Verdicts) -> None:
    event.state, event.reason = EventState.DEAD, reason[:500].replace("\x00", "")
    verdicts.changed.append(event)


def _mark(verdicts: _Verdicts) -> Drained:
    now = timezone.now()
    if verdicts.processed:
        WebhookEvent.objects.filter(pk__in=[e.pk for e in verdicts.processed]).update(
            state=EventState.PROCESSED, processed_at=now, reason=""
        )
        for event in verdicts.processed:
            metrics.APPLIED_AFTER.observe((now - event.received_at).total_seconds())
    if verdicts.changed:
        WebhookEvent.objects.bulk_update(
            verdicts.changed, ["state", "attempts", "next_attempt_at", "reason"], batch_size=500
        )
    dead = sum(e.state == EventState.DEAD for e in verdicts.changed)
    waiting = sum(e.reason == "Waiting for its shipment" for e in verdicts.changed)
    return Drained(
        processed=len(verdicts.processed),
        waiting=waiting,
        dead=dead,
        failed=len(verdicts.changed) - dead - waiting,
    )
