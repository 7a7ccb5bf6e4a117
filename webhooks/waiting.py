"""Callbacks that waited for a shipment, made due again when the shipment gets its tracking id.

An operator may settle a doubt, or correct a tracking id, days after the courier's scans came. By
then the callbacks have been given up.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models.functions import Now

from couriers.contract.logs import get_logger
from couriers.contract.receiver import WebhookReceiver
from couriers.contract.registry import CourierFactory
from couriers.contract.signals import SettledAs, SettledBy
from couriers.models import Shipment
from webhooks import dispatch
from webhooks.models import EventState, WebhookEvent
from webhooks.payloads import UnreadableBody, parse_body

log = get_logger(__name__)

MAX_SEARCHED = 5000  # callbacks in each state: the newest dead, and those that are due first


def on_settled(*, shipment_id: str, tracking_id: str, outcome: str, by: str, **_: Any) -> None:
    """Receiver of `shipment_settled`.

    A doubt that the courier's own event settles needs no search: its scans come about then.
    """
    if outcome == SettledAs.BOOKED and by == SettledBy.OPERATOR:
        requeue_waiting(shipment_id, tracking_id)


def on_corrected(*, shipment_id: str, tracking_id: str, **_: Any) -> None:
    """Receiver of `shipment_tracking_id_corrected`."""
    requeue_waiting(shipment_id, tracking_id)


def requeue_waiting(shipment_id: str, tracking_id: str) -> int:
    """Make due the failed and dead callbacks that name the tracking id; return how many.

    They get all their attempts again, and as much time as new ones.
    """
    shipment = Shipment.objects.only("account_id", "courier_id").get(pk=shipment_id)
    receiver = CourierFactory.receiver(shipment.courier_id)
    found = _candidates(shipment.account_id, receiver, tracking_id) if receiver else []
    if not found:
        return 0
    count = WebhookEvent.objects.filter(
        pk__in=found, state__in=[EventState.FAILED, EventState.DEAD]
    ).update(
        state=EventState.PENDING, attempts=0, next_attempt_at=Now(), received_at=Now(), reason=""
    )
    log.info("waiting_callbacks_requeued", shipment=shipment_id, count=count)
    dispatch.request_processing()
    return count


def _candidates(account_id: str, receiver: WebhookReceiver, tracking_id: str) -> list[int]:
    """The ids of the account's failed and dead callbacks that name the tracking id."""
    rows = WebhookEvent.objects.filter(account_id=account_id)
    dead = rows.filter(state=EventState.DEAD).order_by("-id")[:MAX_SEARCHED]
    failed = rows.filter(state=EventState.FAILED).order_by("next_attempt_at")[:MAX_SEARCHED]
    return [
        event.pk
        for found in (dead, failed)
        for event in found.only("body").iterator(chunk_size=500)
        if names_one_of(receiver, event, {tracking_id})
    ]


def names_one_of(receiver: WebhookReceiver, event: WebhookEvent, ids: Collection[str]) -> bool:
    """Whether a callback is about a parcel with one of these tracking ids."""
    try:
        parsed = receiver.parse(parse_body(event.read_body()))
        return any(one.tracking_id in ids for one in parsed)
    except UnreadableBody:
        return False
    except Exception as error:  # noqa: BLE001 - a plug-in's fault with one body stops no other
        log.info("callback_not_read", error=type(error).__name__)
        return False
