"""Interleavings of two callers, a crash, late events, searches and repeated calls, step by step.

Hypothesis chooses the order. In the end every order has one parcel, and a courier that can be asked
leaves no doubt to an operator.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

import pytest
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import rule

from couriers.booking.inquiries import ask_about_doubts
from couriers.booking.leases import expire_leases
from couriers.contract.errors import NotSent, Rejected, TimeIsUp, Unknown
from couriers.contract.receiver import CourierEvent, Topic
from couriers.contract.registry import CourierFactory
from couriers.contract.types import Booking, Scan, ShipmentRequest
from couriers.operations.doubt import release
from couriers.tracking.events import apply_events
from tests.support.booking_machine import BookingMachine, Caller, run_machine, unless_locked
from tests.support.doubt_toys import (
    PlainToy,
    ReserveToy,
    SearchReserveToy,
    SearchToy,
    UnsureSearchToy,
)
from tests.support.doubts import pass_time
from tests.support.toy import MAPPER

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

LEASE = 150.0  # seconds, of BOOKING_LEASE
SEND_WITHIN = LEASE - PlainToy.max_create_seconds()
LAG = 60.0  # seconds after which the courier's index has every parcel


class AskedMachine(BookingMachine):
    """Two callers and one order, of a courier that can be asked about doubts."""

    adapter: ClassVar[type[PlainToy]]
    index_is_prompt: ClassVar[bool] = True
    results = (*BookingMachine.results, NotSent)  # too late, or the courier cannot say
    examples = 25

    def __init__(self) -> None:
        super().__init__()
        self.parcels: list[dict[str, Any]] = []
        self.modes: list[str] = []
        self.search_fails = False
        type(self).adapter.books = self  # type: ignore[assignment]

    # What the toy adapters ask their books.

    def create(self, request: ShipmentRequest) -> Booking:
        caller = getattr(Caller.current, "caller", None)
        if caller and caller.age > SEND_WITHIN:
            raise TimeIsUp("the deadline has passed")
        mode = caller.mode if caller else (self.modes.pop(0) if self.modes else "answers")
        if mode == "request lost":
            raise Unknown("reset")
        number = request.reserved_id
        known = next((p for p in self.parcels if number and p["number"] == number), None)
        if mode == "refuses" and known is None:
            raise Rejected("no")
        if known is None:
            tracking_id = number or f"T-{len(self.parcels)}-{request.shipment_id}"
            known = {"number": number, "id": tracking_id, "age": 0.0}
            self.parcels.append(known)
            self.at_courier.append(known["id"])
        if mode == "answer lost":
            raise Unknown("read time-out")
        return Booking(known["id"], order_number=request.order_number)

    def find(self, request: ShipmentRequest) -> Booking | None:
        if self.search_fails:
            raise Unknown("HTTP 500")
        found = [p["id"] for p in self.parcels if p["age"] >= LAG or p.get("indexed")]
        return Booking(found[-1], order_number=request.order_number) if found else None

    def reserve(self, count: int) -> list[str]:
        type(self).reserved = getattr(type(self), "reserved", 0) + count
        return [f"N{type(self).reserved - n:09d}" for n in range(count)]

    @rule(seconds=st.sampled_from([20.0, 70.0, 200.0]))
    def time_passes(self, seconds: float) -> None:
        with unless_locked():
            pass_time(seconds)
            for caller in self.callers:
                caller.age += seconds
            for parcel in self.parcels:
                parcel["age"] += seconds if self.index_is_prompt else 0

    @rule()
    def the_index_catches_up(self) -> None:
        for parcel in self.parcels:
            parcel["indexed"] = True

    @rule(
        modes=st.lists(st.sampled_from(["answers", "answer lost", "request lost"]), max_size=3),
        search_fails=st.booleans(),
    )
    def the_courier_is_asked(self, modes: list[str], search_fails: bool) -> None:
        self.modes, self.search_fails = modes, search_fails
        with unless_locked():
            expire_leases()
            ask_about_doubts(5)
        self.modes, self.search_fails = [], False

    @rule()
    def a_scan_that_names_the_order_comes(self) -> None:
        """It settles a doubt where scans do (couriers.tracking); otherwise it changes nothing."""
        if not self.at_courier:
            return
        scan = Scan(MAPPER.map("booked"), timezone.now() - dt.timedelta(hours=1))
        event = CourierEvent(
            Topic.TRACK_UPDATED, self.at_courier[0], self.draft.order_number, scan=scan
        )
        with unless_locked():
            apply_events(self.account, [event])

    def settle_doubts(self) -> None:
        """Ask the courier until nothing is in doubt: no operator and no event is needed."""
        for _ in range(8):
            if not self._shipments().filter(status="in_doubt").exists():
                return
            pass_time(4000)
            for parcel in self.parcels:
                parcel["age"] += 4000
            ask_about_doubts(10)
        assert not self._shipments().filter(status="in_doubt").exists()


class UnsureMachine(AskedMachine):
    """A courier whose index is late by any time: what it lacks, an operator decides."""

    index_is_prompt = False

    def settle_doubts(self) -> None:
        pass_time(4000)
        self.the_index_catches_up()
        ask_about_doubts(10)
        for shipment in self._shipments().filter(status="in_doubt"):
            assert not self.at_courier
            release(shipment.pk, actor=self.operator, reason="not in the panel")


def test_no_interleaving_books_twice_or_loses_a_booking(account: Any, toy: Any) -> None:
    run_machine(BookingMachine, account, toy)


@pytest.mark.usefixtures("no_backoff")
@pytest.mark.parametrize("adapter", [SearchToy, ReserveToy, SearchReserveToy])
def test_a_courier_that_can_be_asked_leaves_no_doubt_to_an_operator(
    account: Any, adapter: type[PlainToy]
) -> None:
    CourierFactory.register(adapter)
    AskedMachine.adapter = PlainToy
    run_machine(AskedMachine, account, adapter)


@pytest.mark.usefixtures("no_backoff")
def test_a_search_without_a_known_lag_never_frees_an_order(account: Any) -> None:
    CourierFactory.register(UnsureSearchToy)
    UnsureMachine.adapter = PlainToy
    run_machine(UnsureMachine, account, UnsureSearchToy)
