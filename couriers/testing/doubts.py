"""The conformance of the platform with a plug-in: bookings in doubt, which asking the courier ends.

An answer is lost, a request is lost, or the process dies. A search or a reserved number then
settles the booking without an operator, and an absence alone is never believed at once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from django.db.models import F

from couriers.booking.inquiries import ask_about_doubts
from couriers.booking.leases import expire_leases
from couriers.booking.protocol import book
from couriers.booking.steps import Step, booking_step
from couriers.contract import india
from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.contract.statuses import Status
from couriers.contract.types import PaymentMode, ShipmentDraft
from couriers.models import CourierAccount, CourierCall, DoubtInquiry, ReservedId, Shipment
from couriers.testing.fault_proxy import FaultProxy
from couriers.testing.faults import FaultKind
from couriers.testing.operations import CourierSandbox, OperationConformance
from couriers.testing.samples import CONSIGNEE, new_order_number

ASKABLE = {Capability.FIND_BOOKING, Capability.RESERVE_IDS}
LONG = 1000.0  # seconds: longer than leases, pauses and calls
ASKING = 30.0  # seconds for asking about all doubts

needs_commits = pytest.mark.django_db(transaction=True)


class Crash(BaseException):
    """Stands for the death of a process: nobody catches it."""


def skip_without(courier: BaseCourierAdapter, *capabilities: Capability) -> None:
    """Skip the test if the courier lacks one of the operations."""
    if missing := [one for one in capabilities if not courier.supports(one)]:
        pytest.skip(f"the courier has no {', '.join(missing)}")


@contextmanager
def crash_at(step: Step) -> Iterator[None]:
    """Have the booking inside the block die at a step."""

    def die(*, step: Step, **_: Any) -> None:
        if step is wanted:
            raise Crash

    wanted = step
    booking_step.connect(die)
    try:
        with suppress(Crash):
            yield
    finally:
        booking_step.disconnect(die)


def pass_time(seconds: float) -> None:
    """Move what the platform has timed so many seconds into the past."""
    by = dt.timedelta(seconds=seconds)
    names = ("over_at", "last_asked_at", "first_absent_at", "last_absent_at", "next_attempt_at",
             "lease_expires_at", "created_at")  # fmt: skip
    DoubtInquiry.objects.update(**{name: F(name) - by for name in names})
    CourierCall.objects.update(started_at=F("started_at") - by, finished_at=F("finished_at") - by)
    Shipment.objects.update(lease_expires_at=F("lease_expires_at") - by)
    ReservedId.objects.update(use_from=F("use_from") - by)


def reconcile() -> None:
    """Do what the task reconcile_bookings does."""
    expire_leases()
    ask_about_doubts(ASKING)


class DoubtConformance(OperationConformance):
    """Tests of bookings that the platform makes with the adapter. They need committed rows."""

    def draft(self) -> ShipmentDraft:
        """Return the merchant's request for a new order."""
        sample = self.booking_request()
        return ShipmentDraft(
            courier=self.adapter_class.code,
            order_number=new_order_number(),
            order_date=india.today(),
            payment_mode=PaymentMode.PREPAID,
            consignee=CONSIGNEE,
            items=sample.items,
            parcel=sample.parcel,
            options=dict(self.options),
        )

    def status(self, order_number: str) -> Status:
        """Return the status of an order's shipment."""
        return Status(Shipment.objects.get(order_number=order_number).status)

    def book_position(
        self, account: CourierAccount, sandbox: CourierSandbox, proxy: FaultProxy
    ) -> int:
        """Book twice, the first time with a login, and return the position of the create."""
        book(account.company, self.draft())
        draft = self.draft()
        call = lambda: book(account.company, draft)  # noqa: E731 - a call without arguments
        return self.create_position(proxy, sandbox, draft.order_number, call)

    @needs_commits
    def test_a_lost_answer_is_settled_by_asking(
        self,
        account: CourierAccount,
        courier: BaseCourierAdapter,
        sandbox: CourierSandbox,
        proxy: FaultProxy,
        settings: Any,
    ) -> None:
        self.skip_unless_askable(courier)
        position = self.book_position(account, sandbox, proxy)
        for loss in (FaultKind.RESET_AFTER, FaultKind.HALF_AFTER):
            draft = self.draft()
            with self.failing(proxy, loss, position, settings):
                book(account.company, draft)
            assert self.status(draft.order_number) is Status.IN_DOUBT
            pass_time(LONG)
            reconcile()
            self.check_booked_once(sandbox, draft.order_number)

    @needs_commits
    def test_an_order_that_never_arrived_is_not_released_at_once(
        self,
        account: CourierAccount,
        courier: BaseCourierAdapter,
        sandbox: CourierSandbox,
        proxy: FaultProxy,
        settings: Any,
    ) -> None:
        skip_without(courier, Capability.FIND_BOOKING)
        position = self.book_position(account, sandbox, proxy)
        draft = self.draft()
        with self.failing(proxy, FaultKind.RESET_BEFORE, position, settings):
            book(account.company, draft)
        reconcile()
        # One that reserves numbers may be booked by now: the call was repeated with its number.
        assert self.status(draft.order_number) is not Status.FAILED, "one absence was believed"
        for _ in range(3):
            pass_time(LONG)
            reconcile()
        if courier.supports(Capability.RESERVE_IDS):
            self.check_booked_once(sandbox, draft.order_number)
            return
        settled = Status.FAILED if courier.lookup_lag is not None else Status.IN_DOUBT
        assert self.status(draft.order_number) is settled
        assert sandbox.booked(draft.order_number) == []

    @needs_commits
    def test_a_booking_whose_process_died_is_settled_by_asking(
        self, account: CourierAccount, courier: BaseCourierAdapter, sandbox: CourierSandbox
    ) -> None:
        self.skip_unless_askable(courier)
        draft = self.draft()
        with crash_at(Step.CALLED):
            book(account.company, draft)
        assert self.status(draft.order_number) is Status.BOOKING
        pass_time(LONG)
        reconcile()
        self.check_booked_once(sandbox, draft.order_number)

    @needs_commits
    def test_a_doubt_that_cannot_be_asked_about_stays(
        self,
        account: CourierAccount,
        courier: BaseCourierAdapter,
        sandbox: CourierSandbox,
        proxy: FaultProxy,
        settings: Any,
    ) -> None:
        if courier.capabilities & ASKABLE:
            pytest.skip("the courier can be asked")
        position = self.book_position(account, sandbox, proxy)
        draft = self.draft()
        with self.failing(proxy, FaultKind.RESET_BEFORE, position, settings):
            book(account.company, draft)
        for _ in range(3):
            pass_time(LONG)
            reconcile()
        assert self.status(draft.order_number) is Status.IN_DOUBT, "released by a timer"

    def skip_unless_askable(self, courier: BaseCourierAdapter) -> None:
        """Skip the test of a courier that knows neither search nor reserved numbers."""
        if not courier.capabilities & ASKABLE:
            pytest.skip("the courier cannot be asked about a booking")

    def check_booked_once(self, sandbox: CourierSandbox, order_number: str) -> None:
        """Check that the order is booked on both sides, once, as the same parcel."""
        shipment = Shipment.objects.get(order_number=order_number)
        assert shipment.status == Status.BOOKED, f"{order_number} is {shipment.status}"
        assert sandbox.booked(order_number) == [shipment.tracking_id]
