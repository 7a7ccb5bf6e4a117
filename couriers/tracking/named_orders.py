"""Scans of unknown tracking ids that name an order.

Such a scan proves that the courier has the order's shipment. It settles a doubt as the event of a
creation does, by the same rules (couriers/tracking/confirmation.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from couriers.contract.receiver import CourierEvent
from couriers.contract.statuses import UNSETTLED
from couriers.models import CourierAccount, Shipment, ShipmentFlag
from couriers.tracking.confirmation import apply_creation, flag_similar_numbers


def settle_named_orders(
    account: CourierAccount,
    events: Sequence[CourierEvent],
    known: Collection[str],
    shipments: Sequence[Shipment],
) -> bool:
    """Settle what the scans of unknown tracking ids name; return whether they named an order.

    `known` are the account's tracking ids, `shipments` the locked ones of the orders. A scan whose
    tracking id belongs to no shipment afterwards has to wait for it.
    """
    by_order = defaultdict(list)
    for shipment in shipments:
        by_order[shipment.order_number].append(shipment)
    unknown: dict[tuple[str, str], CourierEvent] = {}
    for event in events:
        if event.tracking_id and event.order_number and event.tracking_id not in known:
            unknown.setdefault((event.tracking_id, event.order_number), event)
    ours = [event for event in unknown.values() if event.order_number in by_order]
    for event in ours:
        if _may_settle(event, by_order[event.order_number]):
            apply_creation(account, event)
    others = [event for event in unknown.values() if event.order_number not in by_order]
    flag_similar_numbers(account, others)
    return bool(ours)


def _may_settle(event: CourierEvent, of_order: Sequence[Shipment]) -> bool:
    """Whether the event can do more than raise a flag again that an operator may have cleared.

    A scan without a shipment comes again and again while it waits.
    """
    if sum(shipment.status in UNSETTLED for shipment in of_order) == 1:
        return True
    flags = ShipmentFlag.objects.filter(
        shipment__in=[shipment.pk for shipment in of_order], tracking_id=event.tracking_id
    )
    return not flags.exists()
