"""Erasing the bodies of callbacks about shipments whose consignee is erased."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.db.models import QuerySet

from couriers.contract.logs import get_logger
from couriers.contract.receiver import WebhookReceiver
from couriers.contract.registry import CourierFactory
from couriers.models import CourierAccount
from couriers.operations.erasure import ErasedShipment
from webhooks.models import EventState, WebhookEvent
from webhooks.payloads import UndecryptableBody, UnreadableBody, parse_body

log = get_logger(__name__)

BATCH = 500  # bodies that are erased, or read, at once


@dataclass(slots=True)
class _Sought:
    """What the callbacks of one account are searched for."""

    tracking_ids: set[str] = field(default_factory=set)
    order_numbers: set[str] = field(default_factory=set)
    since: dt.datetime | None = None

    def add(self, shipment: ErasedShipment) -> None:
        self.tracking_ids.update(shipment.tracking_ids)
        self.order_numbers.add(shipment.order_number)
        self.since = min(self.since or shipment.since, shipment.since)


def erase_bodies(shipments: Sequence[ErasedShipment]) -> int:
    """Erase the bodies of ended callbacks that name one of the shipments; return how many.

    A callback that is still due is applied first, which erases it, too. Every callback that the
    account has had since is decrypted: about 50,000 a second.
    """
    by_account: dict[str, _Sought] = defaultdict(_Sought)
    for shipment in shipments:
        by_account[shipment.account_id].add(shipment)
    return sum(_erase_of_account(account, sought) for account, sought in by_account.items())


def _erase_of_account(account_id: str, sought: _Sought) -> int:
    courier = CourierAccount.objects.values_list("courier_id", flat=True).get(pk=account_id)
    receiver = CourierFactory.receiver(courier)
    rows = WebhookEvent.objects.filter(
        account_id=account_id,
        received_at__gte=sought.since,
        state__in=[EventState.PROCESSED, EventState.DEAD],
        body__isnull=False,
    )
    found, unreadable = [], 0
    for event in _in_batches(rows.only("body")):
        try:
            if _names(event.read_body(), receiver, sought):
                found.append(event.pk)
        except UndecryptableBody:
            unreadable += 1
    if unreadable:
        log.error("callbacks_not_searched", account=account_id, count=unreadable)
    for at in range(0, len(found), BATCH):
        WebhookEvent.objects.filter(pk__in=found[at : at + BATCH]).update(body=None)
    return len(found)


def _in_batches(rows: QuerySet[WebhookEvent]) -> Iterator[WebhookEvent]:
    """The rows by primary key, a batch at a time.

    Behind a pooler of transactions no cursor stays open, and all bodies would be in memory at once.
    """
    last = 0
    while batch := list(rows.filter(pk__gt=last).order_by("pk")[:BATCH]):
        yield from batch
        last = batch[-1].pk


def _names(body: bytes, receiver: WebhookReceiver | None, sought: _Sought) -> bool:
    """Whether a body is about one of the shipments. A tracking id counts wherever it stands."""
    if any(tracking_id.encode() in body for tracking_id in sought.tracking_ids):
        return True
    try:
        events = receiver.parse(parse_body(body)) if receiver else ()
    except UnreadableBody:
        return False
    except Exception as error:  # noqa: BLE001 - a plug-in's fault with one body stops no other
        log.info("callback_not_read", error=type(error).__name__)
        return False
    return any(
        event.order_number in sought.order_numbers or event.tracking_id in sought.tracking_ids
        for event in events
    )
