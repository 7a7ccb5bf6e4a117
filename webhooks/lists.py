"""The inbox's part of the work lists and of the platform's health."""

from __future__ import annotations

from django.db.models import Q
from django.utils import timezone

from couriers.operations.worklists import Worklist
from webhooks.models import EventState, WebhookEvent


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
