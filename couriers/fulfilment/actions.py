"""What a merchant does to a shipment that is under way: cancel it, try again, send it back.

Each is asked of the courier at once and only where the shipment's status allows it; nothing here
is ever done by the platform of its own accord. A failure is raised in the classes of
couriers.contract.errors, so an outage is never taken for a refusal, nor a refusal for success.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import structlog

from couriers.contract import india
from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.contract.errors import CourierError, FieldProblem, InvalidRequest
from couriers.contract.platform_errors import ActionNotAllowed
from couriers.contract.registry import CourierFactory
from couriers.contract.statuses import STATUS_FACTS, Category, Status
from couriers.contract.types import (
    ActionResult,
    ActionState,
    Direction,
    PickupRequest,
    ReattemptRequest,
)
from couriers.models import Shipment, WarehouseRegistration
from couriers.models.call_audit import audited_call
from couriers.tracking.events import apply_tracking, mark_cancelled
from couriers.tracking.lookup import latest_tracking

log = structlog.get_logger(__name__)

LONGEST_AHEAD = 60  # days; a courier's plug-in may allow fewer
AWAITS_PICKUP = frozenset(
    s for s, facts in STATUS_FACTS.items() if facts.category is Category.PICKUP
)


def cancel(shipment: Shipment) -> ActionResult:
    """Cancel a shipment or a return; one that is cancelled already is done, without a call.

    Raises ActionNotAllowed once it is too late, and what the courier says.
    """
    if shipment.status == Status.CANCELLED:
        return ActionResult(remark="already cancelled")
    if not shipment.facts.cancellable:
        raise _refused(shipment, "not-cancellable", "The shipment can no longer be cancelled")
    adapter = CourierFactory.get_adapter(shipment.account)
    reverse = shipment.direction == Direction.REVERSE
    capability = Capability.CANCEL_REVERSE_SHIPMENT if reverse else Capability.CANCEL_SHIPMENT
    work = adapter.cancel_reverse_shipment if reverse else adapter.cancel_shipment
    result = _ask(shipment, adapter, capability, lambda: work(shipment.tracking_id))
    if result.state == ActionState.DONE:
        mark_cancelled(shipment)
    return result


def track(shipment: Shipment) -> Shipment:
    """Ask the courier for the shipment's scans now; returns it as it stands then."""
    if not shipment.tracking_id:
        raise _refused(shipment, "not-booked", "The shipment has no tracking id")
    return apply_tracking(shipment, latest_tracking(shipment.account, shipment))


def reattempt(shipment: Shipment, day: dt.date, instructions: str = "") -> ActionResult:
    """Have an undelivered parcel delivered again on a day (India time).

    Raises ActionNotAllowed unless it is undelivered for a reason that another attempt can mend;
    InvalidRequest naming `date`.
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
    return _ask(
        shipment, adapter, Capability.REQUEST_REATTEMPT, lambda: adapter.request_reattempt(request)
    )


def send_back(shipment: Shipment, remark: str = "") -> ActionResult:
    """Have an undelivered parcel returned to its origin (RTO). Its scans tell when it travels.

    Raises ActionNotAllowed unless it is undelivered.
    """
    _check_undelivered(shipment, "not-returnable", "The parcel cannot be sent back now")
    adapter = CourierFactory.get_adapter(shipment.account)
    return _ask(
        shipment,
        adapter,
        Capability.REQUEST_RTO,
        lambda: adapter.request_rto(shipment.tracking_id, remark),
    )


def change_address(
    shipment: Shipment, day: dt.date, *, phone: str = "", address: str = "", instructions: str = ""
) -> ActionResult:
    """Give the courier another phone or address of the consignee, for an attempt on a day.

    The phone may be written in any usual way. What the courier took on is kept with the shipment.
    Raises ActionNotAllowed unless it is undelivered; InvalidRequest naming the field.
    """
    _check_undelivered(shipment, "not-reattemptable", "The address can no longer be changed")
    problems = []
    digits = india.parse_phone(phone) if phone else ""
    if digits is None:
        problems.append(FieldProblem("phone", "is not a ten-digit Indian phone number"))
    if not phone and not address:
        problems.append(FieldProblem("address", "give an address, a phone or both"))
    if problems:
        raise InvalidRequest(problems, courier=shipment.courier_id)
    _check_date(day)
    adapter = CourierFactory.get_adapter(shipment.account)
    request = ReattemptRequest(
        shipment.tracking_id, day, phone=digits or "", address=address, instructions=instructions
    )
    result = _ask(
        shipment,
        adapter,
        Capability.UPDATE_DELIVERY_ADDRESS,
        lambda: adapter.update_delivery_address(request),
    )
    changes = {"consignee_phone": digits, "consignee_address": address}
    Shipment.objects.filter(pk=shipment.pk).update(**{k: v for k, v in changes.items() if v})
    return result


def set_dispatch_date(shipment: Shipment, day: dt.date, slot: str = "") -> ActionResult:
    """Have a shipment fetched on a day (India time): a forward one from its warehouse, a return
    from the consignee.

    Raises ActionNotAllowed once it has been picked up; NotSupported where the courier schedules
    the pickup itself.
    """
    if shipment.status not in AWAITS_PICKUP:
        raise _refused(shipment, "not-awaiting-pickup", "The shipment does not await its pickup")
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
        return _ask(shipment, adapter, capability, lambda: adapter.schedule_reverse_pickup(request))
    capability = Capability.SCHEDULE_PICKUP
    return _ask(shipment, adapter, capability, lambda: adapter.schedule_pickup(request))


def _ask(
    shipment: Shipment,
    adapter: BaseCourierAdapter,
    capability: Capability,
    work: Callable[[], ActionResult],
) -> ActionResult:
    """Make the call and keep a record of it; what the courier lacks leaves none."""
    if not adapter.supports(capability):
        return work()  # raises NotSupported, in the plug-in's own words
    try:
        with audited_call(shipment.account, capability.value, shipment):
            return work()
    except CourierError as error:
        log.info("action_failed", action=capability.value, shipment=shipment.pk, error=str(error))
        raise


def _check_undelivered(shipment: Shipment, name: str, title: str) -> None:
    if shipment.direction == Direction.REVERSE:
        raise ActionNotAllowed(name, title, "It is a return.")
    if not shipment.facts.reattemptable:
        raise _refused(shipment, name, title)


def _refused(shipment: Shipment, name: str, title: str) -> ActionNotAllowed:
    return ActionNotAllowed(name, title, f"It is {shipment.get_status_display().lower()}.")


def _check_date(day: dt.date) -> None:
    today = india.today()
    if not today < day <= today + dt.timedelta(days=LONGEST_AHEAD):
        raise InvalidRequest(
            [FieldProblem("date", f"must be tomorrow to {LONGEST_AHEAD} days ahead, India time")]
        )
