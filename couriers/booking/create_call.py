"""The create call of a booking, repeated where that can book no second parcel.

A call that surely had no effect may be repeated. One that may have had an effect may be repeated
only with a reserved number: the courier has one shipment of a number.
"""

from __future__ import annotations

from functools import partial

from couriers.booking.registration import book_registered
from couriers.contract import checked_calls
from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.contract.errors import (
    CourierError,
    CredentialsRefused,
    InvalidRequest,
    NotFound,
    NotSupported,
    PerhapsBooked,
    Rejected,
    ReservedIdRefused,
    Unknown,
)
from couriers.contract.types import Booking, ShipmentRequest
from couriers.resilience import deadline
from couriers.resilience.retry import MAX_ATTEMPTS, retry_safely

MAX_NUMBERED_ATTEMPTS = 3  # the first one and two with the same reserved number
# Refusals that are not about the number: the login's, or of a check before the call.
_SAY_NOTHING = (InvalidRequest, NotFound, CredentialsRefused, NotSupported)


def create_booking(
    adapter: BaseCourierAdapter, operation: str, request: ShipmentRequest
) -> Booking:
    """Make the create call. `operation` is the method's name.

    Raises the last error. If an earlier call of them had an unknown outcome, that Unknown is raised
    instead, unless the last answer shows that the number is not booked.
    """
    lost: list[Unknown] = []
    create = partial(checked_calls.create_booking, adapter, operation)

    def send() -> Booking:
        deadline.check()
        try:
            return book_registered(adapter, request, create)
        except Unknown as error:
            lost.append(error)
            raise

    if not request.reserved_id:
        return retry_safely(send, max_attempts=MAX_ATTEMPTS)
    try:
        return retry_safely(send, also=(Unknown,), max_attempts=MAX_NUMBERED_ATTEMPTS)
    except CourierError as error:
        if lost and not shows_absence(adapter, error):
            raise lost[-1] from error
        raise


def shows_absence(adapter: BaseCourierAdapter, error: CourierError) -> bool:
    """Whether the error of a repeated create call shows that its number is not booked.

    Only a refusal of the number does. The call before may have booked the order, and this one may
    have been refused for another reason, such as an empty wallet, before the number was looked at.
    A courier that can be searched is asked by a search instead, which tells more.
    """
    can_search = adapter.supports(Capability.FIND_BOOKING)
    return isinstance(error, ReservedIdRefused) and not can_search


def is_refused_create(error: CourierError) -> bool:
    """Whether the courier refused the create call itself, and not its login or its form."""
    if isinstance(error, (ReservedIdRefused, PerhapsBooked)):
        return True
    return isinstance(error, Rejected) and not isinstance(error, _SAY_NOTHING)
