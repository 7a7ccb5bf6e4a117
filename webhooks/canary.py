"""The callbacks of a canary's accounts, for `canary_report`."""

from __future__ import annotations

from django.db.models import Min
from django.utils import timezone

from couriers.operations.canary_figures import Callbacks, Window
from webhooks.models import EventState, WebhookEvent

MAX_EVENTS = 50_000  # of each account


def read_callbacks(window: Window) -> Callbacks:
    """Read what became of the callbacks that came in the window.

    No index has the time of receipt. An account's events are read in the order of their hashes,
    which the unique index has. That is no order of time, so the first MAX_EVENTS are a fair sample.
    """
    applied: list[float] = []
    longest_due = _longest_due_now(window)
    is_sample = False
    for account in window.account_ids:
        events = WebhookEvent.objects.filter(account_id=account).order_by("content_hash")
        columns = ("state", "attempts", "received_at", "processed_at")
        rows = list(events.values_list(*columns)[: MAX_EVENTS + 1])
        is_sample |= len(rows) > MAX_EVENTS
        for state, attempts, received, processed in rows[:MAX_EVENTS]:
            if state == EventState.PROCESSED and window.since <= received < window.until:
                applied.append((processed - received).total_seconds())
                if attempts <= 1:  # a later one was not due for all the time
                    longest_due = max(longest_due, applied[-1])
    return Callbacks(applied, _dead(window), longest_due, is_sample)


def _dead(window: Window) -> int:
    dead = WebhookEvent.objects.filter(state=EventState.DEAD, account_id__in=window.account_ids)
    return dead.filter(received_at__gte=window.since, received_at__lt=window.until).count()


def _longest_due_now(window: Window) -> float:
    """Return how long the oldest callback of the accounts has been due, in seconds."""
    now = timezone.now()
    oldest = WebhookEvent.objects.filter(
        state__in=[EventState.PENDING, EventState.FAILED],
        next_attempt_at__lte=now,
        account_id__in=window.account_ids,
    ).aggregate(oldest=Min("next_attempt_at"))["oldest"]
    return (now - oldest).total_seconds() if oldest else 0.0
