"""A merchant's actions on a booked shipment: cancel, track, reattempt, RTO, address, dispatch date.

An action calls the courier at once if the shipment's status allows it. The platform never takes an
action by itself. Failures are raised as the errors of couriers.contract.errors. Inside a
transaction an action raises InsideTransaction, before the courier is called. Tracking is only
read, and does not.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from couriers.contract import india
from couriers.contract.actions import ActionResult, ActionState, PickupRequest, ReattemptRequest
from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.contract.errors import CourierError, FieldProblem, InvalidRequest, NotSupported
from couriers.contract.field_problems import FieldProblems
from couriers.contract.logs import get_logger
from couriers.contract.platform_errors import ActionNotAllowed, ShipmentErased
from couriers.contract.registry import CourierFactory
from couriers.contract.signals import ActionOutcome
from couriers.contract.statuses import AWAITING_PICKUP, Status
from couriers.contract.types import Direction
from couriers.models import Shipment, WarehouseRegistration
from couriers.models.announcements import action_ended
from couriers.models.call_audit import audited_call
from couriers.models.phones import stored_phone_hash
from couriers.tracking.events import apply_tracking, mark_cancelled
from couriers.tracking.lookup import latest_tracking

log = get_logger(__name__)

MAX_DAYS_AHEAD = 60  # from today to a requested date; a courier's plug-in may allow fewer


def cancel(shipment: Shipment) -> ActionResult:
    """Cancel a shipment or a return. Where it is already cancelled, no call is made.

    Raises ActionNotAllowed for a status that no longer allows it, and the courier's errors.
    """
    if shipment.status == Status.CANCELLED:
        return ActionResult(remark="already cancelled")
    if not shipment.facts.cancellable:
        raise _not_allowed(shipment, "not-cancellable", "The shipment can no longer be cancelled")
    adapter = CourierFactory.get_adapter(shipment.account)
    reverse = shipment.direction == Direction.REVERSE
    capability = Capability.CANCEL_REVERSE_SHIPMENT if reverse else Capability.CANCEL_SHIPMENT
    method = adapter.cancel_reverse_shipment if reverse else adapter.cancel_shipment

    def store(result: ActionResult) -> None:
        if result.state == ActionState.DONE:
            mark_cancelled(shipment)

    return _call(shipment, adapter, capability, lambda: method(shipment.tracking_id), store)


def refresh_tracking(shipment: Shipment) -> Shipment:
    """Ask the courier for the shipment's scans now; return the shipment with them applied.

    Raises ActionNotAllowed for a shipment without a tracking id, and the courier's errors.
    """
    check_booked(shipment)
    return apply_tracking(shipment, latest_tracking(shipment.account, shipment))


def request_reattempt(shipment: Shipment, day: dt.date, instructions: str = "") -> ActionResult:
    """Ask for another delivery attempt of an undelivered parcel on a day in India.

    Raises ActionNotAllowed unless the parcel is undelivered for a reason that allows another
    attempt, ShipmentErased where its consignee has been erased, InvalidRequest for the date, and
    the courier's errors.
    """
    _check_undelivered(shipment, "not-reattemptable", "No other attempt can be asked for")
    adapter = CourierFactory.get_adapter(shipment.account)
    reason = adapter.mapper.map(shipment.courier_status, reason=shipment.ndr_reason).reason
    if reason is not None and not reason.reattemptable:
        raise ActionNotAllowed(
            "not-reattemptable", "No other attempt can be asked for", shipment.ndr_reason
        )
    _check_date(day)
    request = ReattemptRequest(shipment.tracking_id, day, instructions=instructions)
    return _call(
        shipment, adapter, Capability.REQUEST_REATTEMPT, lambda: adapter.request_reattempt(request)
    )


def request_rto(shipment: Shipment, remark: str = "") -> ActionResult:
    """Ask for an undelivered parcel to be returned to its origin (RTO).

    The shipment's status changes with its next scans. Raises ActionNotAllowed unless the parcel is
    undelivered, and the courier's errors.
    """
    _check_undelivered(shipment, "not-returnable", "The parcel cannot be sent back now")
    adapter = CourierFactory.get_adapter(shipment.account)
    return _call(
        shipment,
        adapter,
        Capability.REQUEST_RTO,
        lambda: adapter.request_rto(shipment.tracking_id, remark),
    )


def change_address(
    shipment: Shipment, day: dt.date, *, phone: str = "", address: str = "", instructions: str = ""
) -> ActionResult:
    """Change the consignee's phone or address for a delivery attempt on a day in India.

    The phone may have any usual notation. The new values are stored once the courier has accepted
    them. Raises ActionNotAllowed unless the parcel is undelivered, InvalidRequest for an invalid
    field, and the courier's errors.
    """
    _check_undelivered(shipment, "not-reattemptable", "The address can no longer be changed")
    problems = FieldProblems()
    if phone:
        problems.refuse("phone", india.single_phone_problem(phone))
    address = problems.clean_text("address", address, 500, required=False)
    instructions = problems.clean_text("instructions", instructions, 500, required=False)
    problems.require(bool(phone or address), "address", "give an address, a phone or both")
    if problems:
        raise InvalidRequest(problems, courier=shipment.courier_id)
    _check_date(day)
    digits = india.parse_phone(phone) or ""
    adapter = CourierFactory.get_adapter(shipment.account)
    request = ReattemptRequest(
        shipment.tracking_id, day, phone=digits, address=address, instructions=instructions
    )
    changes = {
        "consignee_phone": digits,
        "phone_hash": stored_phone_hash(digits),
        "consignee_address": address,
    }

    def store(_: ActionResult) -> None:
        # The consignee may have been erased during the call.
        unerased = Shipment.objects.filter(pk=shipment.pk, erased_at__isnull=True)
        unerased.update(**{name: value for name, value in changes.items() if value})

    return _call(
        shipment,
        adapter,
        Capability.UPDATE_DELIVERY_ADDRESS,
        lambda: adapter.update_delivery_address(request),
        store,
    )


def set_dispatch_date(shipment: Shipment, day: dt.date, slot: str = "") -> ActionResult:
    """Set the day in India on which a shipment is picked up.

    A forward shipment is picked up from its warehouse, a return from the consignee. Raises
    ActionNotAllowed once it has been picked up, NotSupported where the courier schedules the
    pickup itself, and the courier's other errors.
    """
    check_not_erased(shipment)
    if shipment.status not in AWAITING_PICKUP:
        raise _not_allowed(
            shipment, "not-awaiting-pickup", "The shipment does not await its pickup"
        )
    _check_date(day)
    adapter = CourierFactory.get_adapter(shipment.account)
    registration = WarehouseRegistration.objects.filter(
        account=shipment.account, warehouse=shipment.warehouse
    ).first()
    request = PickupRequest(
        pickup=shipment.warehouse.as_pickup(registration.reference if registration else ""),
        date=day,
        tracking_ids=(shipment.tracking_id,),
        slot=slot,
        options=(shipment.options,),
    )
    if shipment.direction == Direction.REVERSE:
        capability = Capability.SCHEDULE_REVERSE_PICKUP
        return _call(
            shipment, adapter, capability, lambda: adapter.schedule_reverse_pickup(request)
        )
    capability = Capability.SCHEDULE_PICKUP
    return _call(shipment, adapter, capability, lambda: adapter.schedule_pickup(request))


def check_booked(shipment: Shipment) -> None:
    """Raise ActionNotAllowed for a shipment without a tracking id."""
    if not shipment.tracking_id:
        raise _not_allowed(shipment, "not-booked", "The shipment has no tracking id")


def check_not_erased(shipment: Shipment) -> None:
    """Raise ShipmentErased for a shipment whose consignee has been erased."""
    if shipment.erased_at is not None:
        raise ShipmentErased(shipment.pk)


def _call(
    shipment: Shipment,
    adapter: BaseCourierAdapter,
    capability: Capability,
    make_call: Callable[[], ActionResult],
    store: Callable[[ActionResult], None] | None = None,
) -> ActionResult:
    """Make the call, audit it, store what follows and announce how it ended.

    No call is made of an operation that the courier lacks.
    """
    if not adapter.supports(capability):
        return make_call()  # raises NotSupported with the plug-in's message
    kind = capability.value
    asked = False
    try:
        with audited_call(shipment.account, kind, shipment):
            asked = True
            result = make_call()
    except CourierError as error:
        log.info("action_failed", action=kind, shipment=shipment.pk, error=str(error))
        if not isinstance(error, (InvalidRequest, NotSupported)):  # refused before the call
            action_ended(shipment, kind, ActionOutcome(error.outcome))
        raise
    except Exception:
        if asked:
            action_ended(shipment, kind, ActionOutcome.UNKNOWN)
        raise
    if store is not None:
        store(result)
    action_ended(shipment, kind, ActionOutcome(result.state.value), result.handle)
    return result


def _check_undelivered(shipment: Shipment, name: str, title: str) -> None:
    """Raise ActionNotAllowed, under this problem name and title, unless it is undelivered.

    Raises ShipmentErased where its consignee has been erased.
    """
    check_not_erased(shipment)
    if shipment.direction == Direction.REVERSE:
        raise ActionNotAllowed(name, title, "It is a return.")
    if not shipment.facts.reattemptable:
        raise _not_allowed(shipment, name, title)


def _not_allowed(shipment: Shipment, name: str, title: str) -> ActionNotAllowed:
    """Return the error that names the shipment's status as the reason."""
    return ActionNotAllowed(name, title, f"It is {shipment.get_status_display().lower()}.")


def _check_date(day: dt.date) -> None:
    today = india.today()
    if not today < day <= today + dt.timedelta(days=MAX_DAYS_AHEAD):
        raise InvalidRequest(
            [FieldProblem("date", f"must be tomorrow to {MAX_DAYS_AHEAD} days ahead, India time")]
        )
