"""Toy couriers that can be asked about a doubt: by a search, by a reserved number, or by both.

They keep what they booked in memory. Each create call behaves as the next of `behaviours` says.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from couriers.contract.adapter import Capability
from couriers.contract.errors import (
    CourierError,
    NotDone,
    NotSent,
    OrderKept,
    PerhapsBooked,
    Rejected,
    ReservedIdRefused,
    Unknown,
)
from couriers.contract.types import Booking, ShipmentRequest
from tests.support.toy import ToyAdapter

_numbers = itertools.count(1)


class Books:
    """What a toy courier has booked, and how it behaves next."""

    def __init__(self) -> None:
        self.parcels: list[dict[str, str]] = []
        self.behaviours: list[str] = []
        self.create_calls: list[ShipmentRequest] = []
        self.searches: list[ShipmentRequest] = []
        self.reserved: list[str] = []
        self.refused_numbers: set[str] = set()
        self.is_indexed = True
        self.search_error: CourierError | None = None
        self.reserve_error: CourierError | None = None
        self.search_answer: Callable[[ShipmentRequest], Any] | None = None
        self.lock = threading.Lock()

    def order(self, order_number: str) -> list[str]:
        """Return the tracking ids of an order."""
        return [p["tracking_id"] for p in self.parcels if p["order_number"] == order_number]

    def create(self, request: ShipmentRequest) -> Booking:
        with self.lock:
            self.create_calls.append(request)
            behaviour = self.behaviours.pop(0) if self.behaviours else "answers"
        return self.behave(request, behaviour)

    def behave(self, request: ShipmentRequest, behaviour: str) -> Booking:
        """Book or not, and answer or not, as `behaviour` says."""
        errors = {
            "request lost": Unknown("reset after sending"),
            "not sent": NotSent("connection refused"),
            "not done": NotDone("busy"),
            "refuses": Rejected("no such pincode"),
            "keeps": OrderKept("no carrier took it"),
            "fails in part": PerhapsBooked("it might have been saved"),
            "breaks": KeyError("a fault of the plug-in"),
        }
        if behaviour in errors:
            raise errors[behaviour]
        with self.lock:
            booking = self._book(request)
        if behaviour == "answer lost":
            raise Unknown("read time-out")
        return booking

    def _book(self, request: ShipmentRequest) -> Booking:
        number = request.reserved_id
        if number:
            if number in self.refused_numbers:
                raise ReservedIdRefused(f"wbn: {number} is not available")
            for parcel in self.parcels:
                if parcel["number"] == number:
                    if parcel["order_number"] != request.order_number:
                        raise ReservedIdRefused("another order has it")
                    return _booking(parcel)
        parcel = {
            "order_number": request.order_number,
            "number": number,
            "tracking_id": number or f"P{next(_numbers):08d}",
        }
        self.parcels.append(parcel)
        return _booking(parcel)

    def find(self, request: ShipmentRequest) -> Booking | None:
        self.searches.append(request)
        if self.search_error:
            raise self.search_error
        if self.search_answer:
            return self.search_answer(request)
        found = [p for p in self.parcels if p["order_number"] == request.order_number]
        return _booking(found[-1]) if found and self.is_indexed else None

    def reserve(self, count: int) -> Sequence[str]:
        if self.reserve_error:
            raise self.reserve_error
        new = [f"N{next(_numbers):010d}" for _ in range(count)]
        self.reserved.extend(new)
        return new


def _booking(parcel: dict[str, str]) -> Booking:
    return Booking(
        parcel["tracking_id"], waybill="W1", vendor="TOY", order_number=parcel["order_number"]
    )


class PlainToy(ToyAdapter):
    """A courier that can be asked nothing, with books."""

    books: ClassVar[Books] = Books()

    def create_shipment(self, request: ShipmentRequest) -> Booking:
        return self.books.create(request)

    create_reverse_shipment = create_shipment

    @classmethod
    def max_create_seconds(cls) -> float:
        return 30.0


class SearchToy(PlainToy):
    """A courier that can be searched, with a lag that is known."""

    capabilities = ToyAdapter.capabilities | {Capability.FIND_BOOKING}
    lookup_lag: ClassVar[float | None] = 60.0

    def find_booking(self, request: ShipmentRequest) -> Booking | None:
        return self.books.find(request)


class UnsureSearchToy(SearchToy):
    """A courier that can be searched, and whose lag nobody knows."""

    lookup_lag = None


class ReserveToy(PlainToy):
    """A courier whose numbers are reserved beforehand."""

    capabilities = ToyAdapter.capabilities | {Capability.RESERVE_IDS}
    reserve_size = 3

    def reserve_ids(self, count: int) -> Sequence[str]:
        return self.books.reserve(count)


class SearchReserveToy(ReserveToy):
    """A courier that offers both."""

    capabilities = ReserveToy.capabilities | {Capability.FIND_BOOKING}
    lookup_lag = 60.0

    def find_booking(self, request: ShipmentRequest) -> Booking | None:
        return self.books.find(request)
