"""Repeating the create call of a booking in doubt, with the same reserved number."""

from __future__ import annotations

from django.db import transaction

from couriers.booking.create_call import shows_absence
from couriers.booking.leases import seconds_until_call_is_over
from couriers.booking.permission import Permitted
from couriers.booking.preparation import Prepared
from couriers.booking.protocol import call_courier
from couriers.booking.reserving import Reserved, new_call, send_before
from couriers.booking.settling import settle_booked, settle_failed
from couriers.booking.stored_requests import repeat_request
from couriers.conf import tunables
from couriers.contract.adapter import BaseCourierAdapter
from couriers.contract.errors import CourierDisabled, CourierError, Unknown
from couriers.contract.statuses import Status
from couriers.contract.types import Booking
from couriers.models import CourierCall, Shipment
from couriers.models.account import Rollout
from couriers.models.call import Outcome
from couriers.models.call_audit import end_call
from couriers.models.claims import seconds_from_now

LONGEST_WAIT = 5.0  # seconds for the rate limiter


def are_permitted(shipment: Shipment) -> bool:
    """Whether bookings are on: a repeated create call may book the order only now.

    The courier's roll-out does not count. The attempt was made while it included the company, and
    no doubt stays open because it is narrowed.
    """
    return shipment.courier.is_enabled and shipment.account.rollout != Rollout.OFF


def repeat_create(
    shipment: Shipment, adapter: BaseCourierAdapter, number: str
) -> Status | CourierError | None:
    """Make the create call of a doubt once more, with its reserved number.

    Returns BOOKED or FAILED if that has settled the doubt. Returns the error if it has not. Returns
    None, without a call, if the doubt is settled or another call may still be answered. Raises a
    CourierError or UnreadableValue where the call cannot be made now.
    """
    if not are_permitted(shipment):
        raise CourierDisabled("new bookings are switched off", courier=shipment.courier_id)
    request = repeat_request(shipment, adapter, number)
    before = send_before(shipment.account)
    call = _reserve(shipment)
    if call is None:
        return None
    prepared = Prepared(shipment.account, shipment, request, Permitted.now())
    answer = call_courier(Reserved(prepared, call, before), LONGEST_WAIT)
    if isinstance(answer, Booking):
        status = Status(settle_booked(shipment, call, answer).shipment.status)
        if status is Status.IN_DOUBT:
            return Unknown("the courier answered with another shipment's tracking id")
        return status
    if shows_absence(adapter, answer):
        settled = settle_failed(shipment, call, answer)
        return Status.FAILED if settled is None else Status.BOOKED
    end_call(call, Outcome(answer.outcome), answer)
    return answer


def _reserve(shipment: Shipment) -> CourierCall | None:
    """Commit the call about to be made, if the doubt is open and no other call is under way."""
    with transaction.atomic():
        locked = Shipment.objects.select_for_update(of=("self",)).get(pk=shipment.pk)
        if locked.status != Status.IN_DOUBT or locked.attempt != shipment.attempt:
            return None
        if seconds_until_call_is_over(locked) > 0:
            return None
        Shipment.objects.filter(pk=shipment.pk).update(
            lease_expires_at=seconds_from_now(tunables().BOOKING_LEASE)
        )
        call = new_call(shipment)
        call.save(force_insert=True)
    return call
