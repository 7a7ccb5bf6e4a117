"""A merchant's actions on a booked shipment: cancel, track, reattempt, RTO, address, dispatch date.

An action calls the courier at once if the courier's rules allow it. Its row (ShipmentAction) says
how it ended. The platform never takes an action by itself. Failures are raised as the errors of
couriers.contract.errors. Inside a transaction an action raises InsideTransaction, before the
courier is called. Tracking is only read, and does not.
"""

from __future__ import annotations

import datetime as dt
from functools import partial

from couriers.contract import india
from couriers.contract.action_rules import capability_of
from couriers.contract.actions import ActionKind, PickupRequest, ReattemptRequest
from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.contract.checked_calls import call_adapter
from couriers.contract.errors import InvalidRequest
from couriers.contract.field_problems import FieldProblems
from couriers.contract.statuses import Status
from couriers.contract.types import Direction
from couriers.fulfilment.asking import Call, Wanted, ask
from couriers.fulfilment.rules import check_booked
from couriers.models import Shipment, ShipmentAction, WarehouseRegistration
from couriers.models.asked import PLATFORM, Asker
from couriers.tracking.events import apply_tracking
from couriers.tracking.lookup import latest_tracking

MAX_TEXT = 500  # characters of an address, of instructions or of a remark


def cancel(shipment: Shipment, *, by: Asker = PLATFORM) -> ShipmentAction:
    """Cancel a shipment or a return.

    `status_after` says whether it has ended or travels back. One that is cancelled already is done,
    without a call. Raises ActionNotAllowed for a status that no longer allows it, ActionOpen, and
    the courier's errors.
    """
    wanted = Wanted(ActionKind.CANCEL, by=by)

    def prepare(adapter: BaseCourierAdapter, asked: Shipment) -> Call:
        operation = capability_of(ActionKind.CANCEL, Direction(asked.direction))
        status = Status(asked.status)
        return partial(call_adapter, adapter, operation, asked.tracking_id, status=status)

    return ask(shipment, wanted, prepare)


def refresh_tracking(shipment: Shipment) -> Shipment:
    """Ask the courier for the shipment's scans now; return the shipment with them applied.

    Raises ActionNotAllowed for a shipment without a tracking id, and the courier's errors.
    """
    check_booked(shipment)
    return apply_tracking(shipment, latest_tracking(shipment.account, shipment))


def request_reattempt(
    shipment: Shipment,
    day: dt.date | None = None,
    instructions: str = "",
    *,
    by: Asker = PLATFORM,
) -> ShipmentAction:
    """Ask for another delivery attempt, on a day in India where the courier takes one.

    Raises ActionNotAllowed unless the shipment's status, NDR reason and attempts allow it,
    ActionOpen, ShipmentErased where its consignee has been erased, InvalidRequest for what the
    courier does not take or needs, and the courier's errors.
    """
    texts = _clean(instructions=instructions)
    wanted = Wanted(ActionKind.REATTEMPT, day=day, texts=texts, by=by)

    def prepare(adapter: BaseCourierAdapter, asked: Shipment) -> Call:
        request = ReattemptRequest(asked.tracking_id, day, **texts)
        return partial(call_adapter, adapter, Capability.REQUEST_REATTEMPT, request)

    return ask(shipment, wanted, prepare)


def request_rto(shipment: Shipment, remark: str = "", *, by: Asker = PLATFORM) -> ShipmentAction:
    """Ask for an undelivered parcel to be returned to its origin (RTO).

    Where the courier does not say that it travels back, the shipment's status changes with its next
    scans. Raises what `request_reattempt` raises.
    """
    texts = _clean(remark=remark)
    wanted = Wanted(ActionKind.RTO, texts=texts, by=by)

    def prepare(adapter: BaseCourierAdapter, asked: Shipment) -> Call:
        operation, remark = Capability.REQUEST_RTO, texts["remark"]
        return partial(call_adapter, adapter, operation, asked.tracking_id, remark)

    return ask(shipment, wanted, prepare)


def change_address(
    shipment: Shipment,
    day: dt.date | None = None,
    *,
    phone: str = "",
    address: str = "",
    name: str = "",
    instructions: str = "",
    by: Asker = PLATFORM,
) -> ShipmentAction:
    """Change the consignee's phone, address or name, for an attempt on a day where there is one.

    The phone may have any usual notation. The new values are stored once the courier has accepted
    them. Raises what `request_reattempt` raises.
    """
    problems = FieldProblems()
    if phone:
        problems.refuse("phone", india.single_phone_problem(phone))
    texts = _clean(problems, address=address, name=name, instructions=instructions)
    texts["phone"] = india.parse_phone(phone) or ""
    wanted = Wanted(ActionKind.ADDRESS, day=day, texts=texts, by=by)

    def prepare(adapter: BaseCourierAdapter, asked: Shipment) -> Call:
        request = ReattemptRequest(asked.tracking_id, day, **texts)
        return partial(call_adapter, adapter, Capability.UPDATE_DELIVERY_ADDRESS, request)

    return ask(shipment, wanted, prepare)


def set_dispatch_date(
    shipment: Shipment, day: dt.date | None = None, slot: str = "", *, by: Asker = PLATFORM
) -> ShipmentAction:
    """Set the day in India on which a shipment is picked up.

    A forward shipment is picked up from its warehouse, a return from the consignee. Raises
    NotSupported also where the courier's pickups are a warehouse's (couriers.fulfilment.pickups),
    and what `request_reattempt` raises.
    """
    wanted = Wanted(ActionKind.PICKUP, day=day, slot=slot, by=by)

    def prepare(adapter: BaseCourierAdapter, asked: Shipment) -> Call:
        registration = WarehouseRegistration.objects.filter(
            account=asked.account, warehouse=asked.warehouse
        ).first()
        request = PickupRequest(
            pickup=asked.warehouse.as_pickup(registration.reference if registration else ""),
            date=day or india.today(),
            tracking_ids=(asked.tracking_id,),
            slot=slot,
            options=(asked.options,),
        )
        operation = capability_of(ActionKind.PICKUP, Direction(asked.direction))
        return partial(call_adapter, adapter, operation, request)

    return ask(shipment, wanted, prepare)


def _clean(problems: FieldProblems | None = None, **texts: str) -> dict[str, str]:
    """Return the texts as one line each. Raises InvalidRequest with all problems."""
    problems = FieldProblems() if problems is None else problems
    found = {
        name: problems.clean_text(name, text, MAX_TEXT, required=False)
        for name, text in texts.items()
    }
    if problems:
        raise InvalidRequest(problems)
    return found
