"""Replaying callbacks: an operator has them applied again, at once."""

from __future__ import annotations

from collections.abc import Collection

import structlog
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from webhooks import nudge
from webhooks.models import EventState, WebhookEvent

log = structlog.get_logger(__name__)

PERMISSION = "shipcrowd_webhooks.replay_event"
MANY = 1000  # callbacks at once


def replay(ids: Collection[int], *, actor: AbstractBaseUser) -> int:
    """Make callbacks due again, whatever became of them; returns how many there were.

    To apply one twice does no harm, and does some good where the plug-in has learnt since. One
    that came more than a day ago and whose shipment is still unknown is dead again in minutes.
    """
    with transaction.atomic():
        count = WebhookEvent.objects.filter(pk__in=ids).update(
            state=EventState.PENDING,
            attempts=0,
            next_attempt_at=timezone.now(),
            reason="",
            processed_at=None,
        )
        transaction.on_commit(nudge.nudge)
    log.warning("callbacks_replayed", actor=actor.pk, count=count, ids=sorted(ids)[:20])
    return count
