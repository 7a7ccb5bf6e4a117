"""The part of the inbox and of the outbox in the work lists and in the platform's health."""

from __future__ import annotations

from django.db.models import Q
from django.utils import timezone

from couriers.operations.worklists import Worklist
from webhooks.models import EventState, WebhookEndpoint, WebhookEvent
from webhooks.outbox.models import DisabledBy


def _due() -> Q:
    unfinished = [EventState.PENDING, EventState.FAILED]
    return Q(state__in=unfinished, next_attempt_at__lte=timezone.now())


DEAD = Worklist(
    "callbacks",
    "Dead callbacks",
    WebhookEvent,
    lambda: Q(state=EventState.DEAD),
    "account__company",
    "received_at",
)
DUE = Worklist(
    "due-callbacks", "Callbacks in the inbox", WebhookEvent, _due, "account__company",
    "next_attempt_at",
)  # fmt: skip
DISABLED = Worklist(
    "endpoints",
    "Storefront endpoints disabled",
    WebhookEndpoint,
    # Those that a person has disabled need nothing.
    lambda: Q(disabled_by__in=[DisabledBy.GONE, DisabledBy.FAILING]),
    "company",
    "disabled_at",
    "is_test",
)
FAILING = Worklist(
    "endpoints-failing",
    "Storefront endpoints failing",
    WebhookEndpoint,
    lambda: Q(enabled=True, failing_since__isnull=False),
    "company",
    "failing_since",
    "is_test",
)
