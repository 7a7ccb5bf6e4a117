"""Replaying callbacks: an operator makes them due again."""

from __future__ import annotations

from collections.abc import Collection

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models.functions import Now

from couriers.contract.logs import get_logger
from couriers.models import AuditEntry
from couriers.models.audit import entry_of
from webhooks import dispatch
from webhooks.models import EventState, WebhookEvent

log = get_logger(__name__)

PERMISSION = "shipcrowd_webhooks.replay_event"
REPLAYED = "replay_event"  # the action in the audit trail
MAX_EVENTS = 1000  # in one replay


def replay(ids: Collection[int], *, actor: AbstractBaseUser) -> int:
    """Make the events with these ids due again, whatever their state; return how many exist.

    Applying an event twice changes nothing, unless the plug-in has changed since. An event that
    was received more than a day ago and whose shipment is still unknown is dead again in minutes.
    """
    found = WebhookEvent.objects.filter(pk__in=ids).select_related("account")
    with transaction.atomic():
        AuditEntry.objects.bulk_create(
            entry_of(
                event, REPLAYED, actor=actor, before={"state": event.state},
                after={"state": EventState.PENDING.value},
            )
            for event in found.only("topic", "state", "account__company_id")
        )  # fmt: skip
        count = WebhookEvent.objects.filter(pk__in=ids).update(
            state=EventState.PENDING,
            attempts=0,
            next_attempt_at=Now(),
            reason="",
            processed_at=None,
        )
        transaction.on_commit(dispatch.request_processing)
    log.warning("callbacks_replayed", actor=str(actor.pk), count=count, ids=sorted(ids)[:20])
    return count
