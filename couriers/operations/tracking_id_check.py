"""Asking the courier about a tracking id that an operator typed: does it exist, for this order?

A typing error would bind an order to somebody else's parcel, and the order's own callbacks would
wait in vain.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from couriers.contract.adapter import Capability
from couriers.contract.checked_calls import call_adapter
from couriers.contract.errors import (
    CourierError,
    FieldProblem,
    InvalidRequest,
    LoginUnreadable,
    NotFound,
)
from couriers.contract.logs import get_logger
from couriers.contract.platform_errors import UncheckedTrackingId
from couriers.contract.registry import CourierFactory
from couriers.contract.text import has_control_characters, make_storable
from couriers.contract.types import Tracking
from couriers.models import Shipment
from couriers.models.transactions import refuse_open_transaction

log = get_logger(__name__)

MAX_ID = 100  # characters of a tracking id or a waybill
MAX_SAID = 300  # characters of what the courier said that are kept


class Verdict(enum.StrEnum):
    """What the courier's answer says about a tracking id."""

    CONFIRMED = "confirmed"  # it exists, and its order is this one
    UNCLEAR = "unclear"  # the courier could not be asked, or did not name the order
    REFUSED = "refused"  # the courier has no such id, or it is another order's


@dataclass(frozen=True, slots=True)
class Check:
    """The verdict on a tracking id, with a sentence about what the courier said."""

    verdict: Verdict
    said: str

    def as_details(self) -> Mapping[str, Any]:
        """The check for the audit log."""
        return {
            "courier": self.verdict.value,
            "courier_said": self.said,
            "confirmed_unchecked": self.verdict is Verdict.UNCLEAR,
        }


def id_problems(tracking_id: str, waybill: str = "") -> list[FieldProblem]:
    """The problems of the two numbers as text, in a list that is empty for valid ones."""
    problems = []
    if not tracking_id or not _is_printable(tracking_id):
        problems.append(
            FieldProblem("tracking_id", f"must have 1 to {MAX_ID} printable characters")
        )
    if not _is_printable(waybill):
        problems.append(FieldProblem("waybill", f"must have at most {MAX_ID} printable characters"))
    return problems


def refuse_other_shipments_id(shipment: Shipment, tracking_id: str) -> None:
    """Raise InvalidRequest where another shipment of the account has, or had, the tracking id."""
    others = Shipment.objects.filter(account=shipment.account_id).exclude(pk=shipment.pk)
    other = (
        others.filter(tracking_id=tracking_id).first()
        or others.filter(former_tracking_ids__contains=[tracking_id]).first()
    )
    if other is not None:
        raise _refusal(f"is the one of order {other.order_number}")


def check_tracking_id(shipment: Shipment, tracking_id: str, *, confirm_unchecked: bool) -> Check:
    """Ask the courier about a tracking id for the shipment; returns what it said.

    Raises InvalidRequest naming `tracking_id` where the courier has no such id or another order's.
    Where it cannot say, raises UncheckedTrackingId unless `confirm_unchecked` is True: the operator
    has been told so, and vouches for the id. Raises InsideTransaction if a transaction is open.
    """
    refuse_open_transaction("check_tracking_id()")
    check = _ask(shipment, tracking_id)
    log.info("tracking_id_checked", shipment=shipment.pk, verdict=check.verdict.value)
    if check.verdict is Verdict.REFUSED:
        raise _refusal(check.said)
    if check.verdict is Verdict.UNCLEAR and not confirm_unchecked:
        raise UncheckedTrackingId(check.said)
    return check


def _ask(shipment: Shipment, tracking_id: str) -> Check:
    name = shipment.courier.name
    try:
        adapter = CourierFactory.get_adapter(shipment.account)
    except LoginUnreadable as error:
        return _unclear(f"{name} could not be asked: {error.reason}")
    if not adapter.supports(Capability.TRACK_SHIPMENT):
        return _unclear(f"{name} cannot be asked about a tracking id")
    try:
        tracking = call_adapter(adapter, Capability.TRACK_SHIPMENT, tracking_id)
    except (NotFound, InvalidRequest):
        return Check(Verdict.REFUSED, f"is not known to {name}")
    except CourierError as error:
        return _unclear(f"{name} could not say whether it has this id: {error}")
    return _judge(name, shipment.order_number, tracking_id, tracking)


def _judge(name: str, order_number: str, tracking_id: str, tracking: Tracking) -> Check:
    """Compare the courier's answer with the order. Some couriers put a prefix on order numbers."""
    named = make_storable(tracking.order_number).strip()
    own = order_number.strip()
    if tracking.tracking_id not in ("", tracking_id):
        known_as = make_storable(tracking.tracking_id)[:MAX_ID]
        return Check(Verdict.REFUSED, f"is known to {name} as {known_as}: enter that")
    if not named:
        return _unclear(f"{name} has this id, but does not name its order")
    if named == own:
        return Check(Verdict.CONFIRMED, f"{name} has it for order {own}")
    if named.casefold().endswith(own.casefold()):
        return _unclear(f"{name} has this id for order {named[:MAX_ID]}")
    return Check(Verdict.REFUSED, f"belongs to order {named[:MAX_ID]} at {name}")


def _unclear(said: str) -> Check:
    return Check(Verdict.UNCLEAR, make_storable(said)[:MAX_SAID])


def _refusal(message: str) -> InvalidRequest:
    return InvalidRequest([FieldProblem("tracking_id", message)])


def _is_printable(text: str) -> bool:
    return len(text) <= MAX_ID and not has_control_characters(text)
