"""The callbacks of a shipment's timeline: those that wait or have been given up.

An applied callback shows as the scans that it brought. One that was not applied shows nowhere else.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from couriers.contract.registry import CourierFactory
from couriers.models import Shipment
from couriers.operations.timeline import Entry, EntryKind
from webhooks.models import EventState, WebhookEvent
from webhooks.waiting import names_one_of

MAX_SEARCHED = 500  # callbacks of the account, the newest of each state; each is decrypted

_TONES = {EventState.DEAD: "danger", EventState.FAILED: "warning"}


def callbacks_of(shipment: Shipment, end: dt.datetime, limit: int) -> Iterator[Entry]:
    """Yield the callbacks that name the shipment's tracking ids and are not applied."""
    receiver = CourierFactory.receiver(shipment.courier_id)
    ids = {one for one in (shipment.tracking_id, *shipment.former_tracking_ids) if one}
    if receiver is None or not ids:
        return
    rows = WebhookEvent.objects.filter(account_id=shipment.account_id, received_at__lt=end).only(
        "body", "topic", "state", "attempts", "reason", "received_at"
    )
    dead = rows.filter(state=EventState.DEAD).order_by("-id")[:MAX_SEARCHED]
    failed = rows.filter(state=EventState.FAILED).order_by("next_attempt_at")[:MAX_SEARCHED]
    count = 0
    for event in dead.union(failed, all=True):
        if count < limit and names_one_of(receiver, event, ids):
            count += 1
            state = EventState(event.state)
            title = f"Callback {event.topic.replace('_', ' ')}: {state.label.lower()}"
            yield Entry(
                event.received_at, EntryKind.CALLBACK, title, event.reason, tone=_TONES[state]
            )
