"""Flags as operators read and clear them. The flag itself is a row (models/flag.py)."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from couriers.contract.errors import InvalidRequest
from couriers.contract.platform_errors import FlagNotOpen
from couriers.models import FlagKind, Shipment, ShipmentFlag
from couriers.models.flag import DERIVED_KINDS, clear_flag
from couriers.operations.decisions import reason_problems, record_decision

PERMISSION = "shipcrowd_couriers.clear_flag"

_SENTENCES: Mapping[str, str] = {
    FlagKind.SECOND_SHIPMENT: "Second shipment: the courier also has {tracking_id}.",
    FlagKind.BOOKED_AGAIN: "The courier booked this order again: {tracking_id}.",
    FlagKind.LATE_CONFIRMATION: "Given up as not booked, but the courier confirmed it.",
    FlagKind.LATE_ANSWER: "Given up as not booked, but the courier's late answer shows that "
    "it is booked.",
    FlagKind.EARLIER_ATTEMPT: "An earlier attempt was booked while a later one was under way: "
    "there may be two parcels.",
    FlagKind.EARLIER_COURIER: "Second parcel: {courier}, which was asked before, has it too, as "
    "{tracking_id}. Cancel that one.",
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
    FlagKind.ACTION_UNKNOWN: "The courier did not say how an action ended: ask the courier.",
}


def sentence(kind: str, tracking_id: str, order_number: str, courier: str = "") -> str:
    """The text of a flag of this kind, in one or two sentences."""
    return _SENTENCES[kind].format(
        tracking_id=tracking_id, order_number=order_number, courier=courier or "another courier"
    )


def sentence_of(flag: ShipmentFlag) -> str:
    """The text of the flag."""
    return sentence(flag.kind, flag.tracking_id, flag.order_number, flag.courier)


def comes_back(flag: ShipmentFlag) -> bool:
    """Whether the flag is raised again by the next scan, for as long as the scans show it."""
    return flag.kind in DERIVED_KINDS


def clear(flag_id: int, *, actor: AbstractBaseUser, reason: str) -> ShipmentFlag:
    """Clear a flag that an operator has dealt with; returns the flag.

    Raises FlagNotOpen where it has been cleared already, and InvalidRequest naming `reason`.
    """
    if problems := reason_problems(reason):
        raise InvalidRequest(problems)
    with transaction.atomic():
        flag = ShipmentFlag.objects.get(pk=flag_id)
        shipment = Shipment.objects.select_for_update().get(pk=flag.shipment_id)
        if not clear_flag(flag, reason=reason, cleared_by=actor):
            raise FlagNotOpen
        details = {
            "flag": flag.pk,
            "kind": flag.kind,
            "tracking_id": flag.tracking_id,
            "order_number": flag.order_number,
        }
        record_decision(shipment, actor, "clear_flag", reason, details)
    flag.refresh_from_db()
    return flag
