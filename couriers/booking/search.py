"""Searching a courier for a booking, and booking the shipment that was found.

A search is made for a booking in doubt (booking/inquiries.py), and before an order is booked again
whose earlier attempt may have reached the courier.
"""

from __future__ import annotations

import dataclasses

from django.db import IntegrityError, transaction
from django.db.models import Q

from couriers.booking.attempts import note_parcel
from couriers.booking.leases import seconds_until_call_is_over
from couriers.booking.preparation import Prepared
from couriers.booking.settling import settle_confirmed
from couriers.contract import checked_calls
from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.contract.errors import ORDER_KEPT, CourierError, EarlierUnclear, OrderKept
from couriers.contract.masking import mask_text
from couriers.contract.platform_errors import BookingInFlight
from couriers.contract.registry import CourierFactory
from couriers.contract.signals import SettledBy
from couriers.contract.statuses import Status
from couriers.contract.types import Booking, ShipmentRequest
from couriers.models import BookingAttempt, CourierCall, ReservedId, Shipment
from couriers.models.call import Outcome
from couriers.resilience import bulkhead, waits
from couriers.resilience.retry import retry_safely

UNANSWERED = (Outcome.UNKNOWN, Outcome.PENDING)
_CREATES = (Capability.CREATE_SHIPMENT.value, Capability.CREATE_REVERSE_SHIPMENT.value)
RETRY_AFTER = 10.0  # seconds, for a client while the courier cannot say


def search(
    adapter: BaseCourierAdapter, shipment: Shipment, request: ShipmentRequest
) -> Booking | None:
    """Return the courier's booking of the shipment, or None if the courier has none.

    A booking that is an older shipment of the order is none of this one. Raises a CourierError
    where the courier cannot say.
    """
    booking = checked_calls.find_booking(adapter, request)
    if booking is None:
        return None
    account = Shipment.objects.filter(account=shipment.account_id).exclude(pk=shipment.pk)
    holder = (
        account.filter(tracking_id=booking.tracking_id).first()
        or account.filter(former_tracking_ids__contains=[booking.tracking_id]).first()
    )
    if holder is None:
        return booking
    if (holder.direction, holder.order_number) == (shipment.direction, shipment.order_number):
        return None
    raise checked_calls.wrong_answer(
        adapter, Capability.FIND_BOOKING, "it found the tracking id of another order"
    )


def settle_found(shipment: Shipment, booking: Booking) -> None:
    """Settle as booked, because a search has found it. Call with the row locked.

    Raises IntegrityError where the tracking id, or the order, is another shipment's by now.
    """
    shipment.courier_status = mask_text(booking.courier_status)[:100]
    settle_confirmed(shipment, booking, by=SettledBy.SEARCH, also_changed=["courier_status"])


def revive_earlier_attempt(prepared: Prepared, *, own: Shipment | None = None) -> bool:
    """Search for a failed attempt of the order that may have reached the courier.

    `own` is the order's shipment where an attempt of it has just ended, whose earlier attempts are
    then looked at, too. Returns whether the courier has it: its shipment is then booked, and `own`
    has it as the parcel of that attempt. Makes no statement for a courier that cannot be searched.
    An order that the courier kept without a parcel is none, if every call of the attempt was
    answered. Raises EarlierUnclear where the courier cannot say, and BookingInFlight while an
    earlier call may still be answered.
    """
    adapter = CourierFactory.get_adapter(prepared.account)
    if not adapter.supports(Capability.FIND_BOOKING):
        return False
    call = _unanswered_call(prepared.shipment, own)
    if call is None or call.shipment is None:
        return False
    earlier = call.shipment
    is_own = own is not None and own.pk == earlier.pk  # then its earlier attempts are all over
    if not is_own and (left := seconds_until_call_is_over(earlier)) > 0:
        raise BookingInFlight(earlier.pk, retry_after=max(1, round(left)))
    try:
        with waits.limit_sum(), bulkhead.hold_place(prepared.account, Capability.FIND_BOOKING):
            request = _request_of(call, prepared)
            found = retry_safely(lambda: search(adapter, earlier, request))
    except OrderKept as error:
        calls = earlier.calls.filter(account=call.account_id, attempt=call.attempt)
        if calls.filter(outcome__in=UNANSWERED).exists():
            raise _unclear(error) from error
        return False
    except CourierError as error:
        raise _unclear(error) from error
    if found is not None:
        _revive(call, found)
    return found is not None


def _unanswered_call(shipment: Shipment, own: Shipment | None) -> CourierCall | None:
    """Return the last call of the order's failed shipments with this account that may have booked.

    It had no answer, or the courier may have kept the order. The shipment may be with another
    courier since, which did not book it either.
    """
    failed = Q(status=Status.FAILED)
    if own is not None:
        failed |= Q(pk=own.pk)
    calls = CourierCall.objects.filter(
        shipment__in=Shipment.objects.same_order_as(shipment).filter(failed),
        account=shipment.account_id,
        operation__in=_CREATES,
    ).filter(Q(outcome__in=UNANSWERED) | Q(code=ORDER_KEPT))
    if own is not None:
        calls = calls.exclude(shipment=own.pk, attempt=own.attempt)
    return calls.select_related("shipment").order_by("-shipment_id", "-id").first()


def _request_of(call: CourierCall, prepared: Prepared) -> ShipmentRequest:
    """Return the new request of the order with the identity of its earlier attempt."""
    number = (
        ReservedId.objects.filter(shipment=call.shipment_id, attempt=call.attempt)
        .values_list("number", flat=True)
        .first()
    )
    return dataclasses.replace(
        prepared.request,
        shipment_id=call.shipment_id or "",
        attempt=call.attempt,
        reserved_id=number or "",
    )


def _revive(call: CourierCall, booking: Booking) -> None:
    """Book the failed shipment that the courier has, unless something else has settled it."""
    shipment_id = call.shipment_id or ""
    try:
        with transaction.atomic():
            shipment = Shipment.objects.select_for_update(of=("self",)).get(pk=shipment_id)
            others = Shipment.objects.same_order_as(shipment).exclude(pk=shipment.pk)
            if others.live().exists():
                return
            if shipment.account_id == call.account_id and shipment.status == Status.FAILED:
                settle_found(shipment, booking)
            elif shipment.account_id != call.account_id and not shipment.tracking_id:
                attempt = BookingAttempt.objects.get(shipment=shipment, number=call.attempt)
                note_parcel(attempt, booking.tracking_id, by=SettledBy.SEARCH)
    except IntegrityError as error:
        # Another request has booked the order, or was given the tracking id, just now.
        raise BookingInFlight(shipment_id, retry_after=1) from error


def _unclear(error: CourierError) -> EarlierUnclear:
    return EarlierUnclear(
        "the courier cannot say whether it has an earlier attempt of this order",
        courier=error.courier,
        operation=Capability.FIND_BOOKING.value,
        code=error.code,
        courier_message=error.courier_message,
        retry_after=error.retry_after or RETRY_AFTER,
    )
