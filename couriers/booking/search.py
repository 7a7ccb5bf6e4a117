"""Searching a courier for a booking, and booking the shipment that was found.

A search is made for a booking in doubt (booking/inquiries.py), and before an order is booked again
whose earlier attempt may have reached the courier.
"""

from __future__ import annotations

import dataclasses

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q

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
from couriers.models import CourierCall, ReservedId, Shipment
from couriers.models.call import Outcome
from couriers.resilience import bulkhead, waits
from couriers.resilience.retry import retry_safely

UNANSWERED = (Outcome.UNKNOWN, Outcome.PENDING)
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


def revive_earlier_attempt(prepared: Prepared) -> bool:
    """Search for a failed attempt of the order that may have reached the courier.

    Returns whether the courier has it: its shipment is then booked. Makes no statement for a
    courier that cannot be searched. An order that the courier kept without a parcel is none, if
    every call of the attempt was answered. Raises EarlierUnclear where the courier cannot say, and
    BookingInFlight while an earlier call may still be answered.
    """
    adapter = CourierFactory.get_adapter(prepared.account)
    if not adapter.supports(Capability.FIND_BOOKING):
        return False
    earlier = _failed_attempt(prepared.shipment)
    if earlier is None:
        return False
    if (left := seconds_until_call_is_over(earlier)) > 0:
        raise BookingInFlight(earlier.pk, retry_after=max(1, round(left)))
    try:
        with waits.limit_sum(), bulkhead.hold_place(prepared.account, Capability.FIND_BOOKING):
            request = _request_of(earlier, prepared)
            found = retry_safely(lambda: search(adapter, earlier, request))
    except OrderKept as error:
        if earlier.calls.filter(outcome__in=UNANSWERED).exists():
            raise _unclear(error) from error
        return False
    except CourierError as error:
        raise _unclear(error) from error
    if found is not None:
        _revive(earlier.pk, found)
    return found is not None


def _failed_attempt(shipment: Shipment) -> Shipment | None:
    """Return the order's last failed shipment with this account that the courier may have.

    A call of it had no answer, or the courier may have kept the order.
    """
    perhaps_there = CourierCall.objects.filter(
        Q(outcome__in=UNANSWERED) | Q(code=ORDER_KEPT), shipment=OuterRef("pk")
    )
    failed = Shipment.objects.same_order_as(shipment).filter(
        status=Status.FAILED, account=shipment.account_id
    )
    return failed.filter(Exists(perhaps_there)).order_by("-id").first()


def _request_of(earlier: Shipment, prepared: Prepared) -> ShipmentRequest:
    """Return the new request of the order with the identity of its earlier attempt."""
    number = (
        ReservedId.objects.filter(shipment=earlier, attempt=earlier.attempt)
        .values_list("number", flat=True)
        .first()
    )
    return dataclasses.replace(
        prepared.request,
        shipment_id=earlier.pk,
        attempt=earlier.attempt,
        reserved_id=number or "",
    )


def _revive(shipment_id: str, booking: Booking) -> None:
    """Book the failed shipment that the courier has, unless something else has settled it."""
    try:
        with transaction.atomic():
            shipment = Shipment.objects.select_for_update(of=("self",)).get(pk=shipment_id)
            others = Shipment.objects.same_order_as(shipment).exclude(pk=shipment.pk)
            if shipment.status == Status.FAILED and not others.live().exists():
                settle_found(shipment, booking)
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
