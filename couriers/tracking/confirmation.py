"""A courier's event that a shipment exists, with its order number and tracking id.

It is the event of the creation, or a scan that names the order. It settles a booking in doubt.
Where it contradicts what is stored, it raises a flag: no event of a known order is dropped.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from couriers.booking.settling import settle_confirmed
from couriers.contract.receiver import CourierEvent
from couriers.contract.signals import SettledBy
from couriers.contract.statuses import RELEASES_ORDER, UNSETTLED, Status
from couriers.contract.types import Booking
from couriers.models import CourierAccount, FlagKind, Shipment
from couriers.models.flag import raise_flag


class Confirmation(enum.StrEnum):
    """The result of a created or recreated event."""

    SETTLED = "settled"
    KNOWN = "known"
    RELINKED = "relinked"
    FLAGGED = "flagged"
    OTHER_ORDER = "other_order"
    UNKNOWN = "unknown"


def apply_creation(account: CourierAccount, event: CourierEvent) -> Confirmation:
    """Apply the event that a shipment exists.

    SETTLED: a booking in flight or in doubt is now booked. KNOWN: a shipment of the order already
    has the tracking id. RELINKED: the tracking id is the first one of a recreated parcel. FLAGGED:
    an operator must look, since the order has another shipment or its booking was given up.
    UNKNOWN: the account has no such order (yet).
    """
    with transaction.atomic():
        order = lock_order(account, event.order_number)
        if holder_of(event.tracking_id, order.shipments) is not None:
            return Confirmation.KNOWN
        return match_creation(account, event, order)


@dataclass(frozen=True, slots=True)
class OrderShipments:
    """The company's shipments of one order number, the oldest first.

    `shipments` are those of the account that the event came for, `elsewhere` those of the company's
    other accounts.
    """

    shipments: Sequence[Shipment]
    elsewhere: Sequence[Shipment]

    def live_elsewhere(self, direction: str) -> Shipment | None:
        """The live shipment of the order with another account, or None."""
        found = [s for s in self.elsewhere if s.direction == direction]
        return next((s for s in reversed(found) if s.status not in RELEASES_ORDER), None)


def lock_order(account: CourierAccount, order_number: str) -> OrderShipments:
    """The company's shipments of an order in the account's mode, locked by order of their ids."""
    found = list(
        Shipment.objects.select_for_update(of=("self",))
        .filter(company_id=account.company_id, is_test=account.is_test, order_number=order_number)
        .order_by("id")
    )
    return OrderShipments(
        shipments=[s for s in found if s.account_id == account.pk],
        elsewhere=[s for s in found if s.account_id != account.pk],
    )


def holder_of(tracking_id: str, shipments: Iterable[Shipment]) -> Shipment | None:
    """The shipment that has the tracking id, or had it before it was recreated."""
    for shipment in shipments:
        if tracking_id in (shipment.tracking_id, *shipment.former_tracking_ids):
            return shipment
    return None


def match_creation(
    account: CourierAccount, event: CourierEvent, order: OrderShipments
) -> Confirmation:
    """Find which of the order's shipments a new tracking id belongs to, and apply it.

    The rules are tried in turn; the first that fits decides. Call with the rows locked.
    """
    for rule in _RULES:
        if (confirmation := rule(event, order)) is not None:
            return confirmation
    flag_similar_numbers(account, [event])
    return Confirmation.UNKNOWN


def may_name(named: str, order_number: str) -> bool:
    """Whether the number that a courier names can mean the order. Some couriers add a prefix."""
    return not named or named.endswith(order_number)


def _link_first_id(event: CourierEvent, order: OrderShipments) -> Confirmation | None:
    """Take the tracking id as the first one of a recreated shipment that lacks it."""
    recreated = [s for s in order.shipments if s.recreated_at and not s.former_tracking_ids]
    if len(recreated) != 1:
        return None
    recreated[0].former_tracking_ids = [event.tracking_id]
    recreated[0].save(update_fields=["former_tracking_ids", "updated_at"])
    return Confirmation.RELINKED


def _settle_unsettled(event: CourierEvent, order: OrderShipments) -> Confirmation | None:
    unsettled = [s for s in order.shipments if s.status in UNSETTLED]
    if not unsettled:
        return None
    if len(unsettled) == 1:
        _confirm(unsettled[0], event)
        return Confirmation.SETTLED
    # A shipment and a return have one order number: the event may mean either.
    for shipment in unsettled:
        raise_flag(shipment, FlagKind.AMBIGUOUS_CREATION, tracking_id=event.tracking_id)
    return Confirmation.FLAGGED


def _flag_second_shipment(event: CourierEvent, order: OrderShipments) -> Confirmation | None:
    live = [s for s in order.shipments if s.status not in RELEASES_ORDER]
    if not live:
        return None
    raise_flag(live[-1], FlagKind.SECOND_SHIPMENT, tracking_id=event.tracking_id)
    return Confirmation.FLAGGED


def _revive_given_up(event: CourierEvent, order: OrderShipments) -> Confirmation | None:
    """Settle a booking that was given up as booked, so that the order is not booked twice."""
    given_up = [s for s in order.shipments if s.status == Status.FAILED and not s.tracking_id]
    if not given_up:
        return None
    if live := order.live_elsewhere(given_up[-1].direction):
        # The order was booked with another courier since.
        raise_flag(live, FlagKind.SECOND_SHIPMENT, tracking_id=event.tracking_id)
        return Confirmation.FLAGGED
    _confirm(given_up[-1], event)
    raise_flag(given_up[-1], FlagKind.LATE_CONFIRMATION, tracking_id=event.tracking_id)
    return Confirmation.FLAGGED


def _flag_booked_again(event: CourierEvent, order: OrderShipments) -> Confirmation | None:
    if not order.shipments:
        return None
    raise_flag(order.shipments[-1], FlagKind.BOOKED_AGAIN, tracking_id=event.tracking_id)
    return Confirmation.FLAGGED


_RULES: tuple[Callable[[CourierEvent, OrderShipments], Confirmation | None], ...] = (
    _link_first_id,
    _settle_unsettled,
    _flag_second_shipment,
    _revive_given_up,
    _flag_booked_again,
)


def _confirm(shipment: Shipment, event: CourierEvent) -> None:
    shipment.confirmed_at = timezone.now()
    settle_confirmed(
        shipment,
        Booking(event.tracking_id, waybill=event.waybill, vendor=event.vendor),
        by=SettledBy.CALLBACK,
        also_changed=["confirmed_at"],
    )


def flag_similar_numbers(account: CourierAccount, events: Sequence[CourierEvent]) -> None:
    """Flag the bookings that events may confirm, if the courier put a prefix on its numbers.

    An operator decides, and settles the booking with the tracking id. The same flag is not raised
    again once it was cleared: an event that waits for its shipment comes many times.
    """
    if not events:
        return
    unsettled = Shipment.objects.filter(account=account, status__in=UNSETTLED)
    similar = {
        pk: [event for event in events if event.order_number.endswith(order_number)]
        for pk, order_number in unsettled.order_by().values_list("pk", "order_number")
    }
    similar = {pk: found for pk, found in similar.items() if found}
    if not similar:
        return
    locked = unsettled.select_for_update(of=("self",), skip_locked=True).filter(pk__in=similar)
    for shipment in locked.order_by("id"):
        raised = set(
            shipment.flags.filter(kind=FlagKind.POSSIBLE_CREATION).values_list(
                "tracking_id", "order_number"
            )
        )
        for event in similar[shipment.pk]:
            if (event.tracking_id, event.order_number) not in raised:
                raise_flag(
                    shipment,
                    FlagKind.POSSIBLE_CREATION,
                    tracking_id=event.tracking_id,
                    order_number=event.order_number,
                )
