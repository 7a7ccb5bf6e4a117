"""The text that an operator reads for a flag. The flag itself is a row (models/flag.py)."""

from __future__ import annotations

from collections.abc import Mapping

from couriers.models import FlagKind, ShipmentFlag

_SENTENCES: Mapping[str, str] = {
    FlagKind.SECOND_SHIPMENT: "Second shipment: the courier also has {tracking_id}.",
    FlagKind.BOOKED_AGAIN: "The courier booked this order again: {tracking_id}.",
    FlagKind.LATE_CONFIRMATION: "Given up as not booked, but the courier confirmed it.",
    FlagKind.LATE_ANSWER: "Given up as not booked, but the courier's late answer shows that "
    "it is booked.",
    FlagKind.EARLIER_ATTEMPT: "An earlier attempt was booked while a later one was under way: "
    "there may be two parcels.",
    FlagKind.AMBIGUOUS_CREATION: "The courier has {tracking_id}: it belongs to this shipment, or "
    "to the other one of this order number.",
    FlagKind.POSSIBLE_CREATION: "The courier created {tracking_id} for {order_number}: perhaps "
    "this shipment.",
    FlagKind.AMBIGUOUS_RECREATION: "The courier recreated a parcel of this order as "
    "{tracking_id}. More than one shipment may be meant.",
    FlagKind.RECREATED_AS_OTHER: "The courier recreated it as {tracking_id}, which is another "
    "shipment's.",
    FlagKind.OTHER_ORDER: "The courier says that {tracking_id} belongs to order {order_number}.",
    FlagKind.LATE_SCANS: "The courier sent scans after the end of this shipment.",
    FlagKind.FUTURE_SCANS: "The courier sent scans with a time in the future. They do not count.",
    FlagKind.ORDER_TAKEN: "The courier has it on its way again, but the order has another live "
    "shipment.",
    FlagKind.LIVE_TWICE: "The order has live shipments with two couriers, the other one is "
    "{tracking_id}: cancel one of them.",
}


def sentence(kind: str, tracking_id: str, order_number: str) -> str:
    """The text of a flag of this kind, in one or two sentences."""
    return _SENTENCES[kind].format(tracking_id=tracking_id, order_number=order_number)


def sentence_of(flag: ShipmentFlag) -> str:
    """The text of the flag."""
    return sentence(flag.kind, flag.tracking_id, flag.order_number)
