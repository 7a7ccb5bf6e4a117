"""The couriers that are asked in turn to book an order: the next after one that surely did not.

A call that was not sent, did nothing or was refused booked nothing, so the next courier may be
asked. After a call whose outcome is unknown none is asked, until the doubt is settled
(booking/going_on.py). The order keeps its one shipment, which moves to the next courier in the
transaction that ends the attempt before: at no time is it free.
"""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass

from django.utils import timezone

from couriers.booking import attempts, reserved_ids
from couriers.booking.candidates import passed_over
from couriers.booking.choosing import keep_choice, with_courier
from couriers.booking.committed import write_committed
from couriers.booking.next_courier import Round
from couriers.booking.permission import check_again
from couriers.booking.preparation import Prepared, prepare
from couriers.booking.reserving import Reserved, identify, new_call, send_before, start_attempt
from couriers.booking.returned_goods import refuse_excess
from couriers.booking.search import revive_earlier_attempt
from couriers.booking.steps import Step, signal_step
from couriers.conf import tunables
from couriers.contract.errors import (
    HELD_BY_PERSON,
    CircuitOpen,
    CourierError,
    EarlierUnclear,
    NoReservedId,
    NotDone,
    NotSent,
)
from couriers.contract.logs import get_logger
from couriers.contract.platform_errors import BookingInFlight, UnknownCourier
from couriers.contract.statuses import UNSETTLED, Status
from couriers.contract.types import ShipmentDraft
from couriers.models import Company, CourierAccount, CourierCall, FailOver, Shipment
from couriers.models.announcements import status_changed
from couriers.models.call import Outcome
from couriers.models.call_audit import end_call, reason_text
from couriers.rates.choice import Candidate, Choice
from couriers.resilience.circuit_breaker import CircuitBreaker, opened_circuits
from couriers.resilience.shared import RedisUnavailable

log = get_logger(__name__)

# An API request asks no further courier once it has taken so many seconds.
REQUEST_SECONDS = 15.0
# The columns of a shipment that depend on the courier that is asked.
_MOVED = (
    *attempts.COURIER_FIELDS, "status", "failure", "lease_expires_at", "price_quoted", "warnings",
    "choice", "updated_at",
)  # fmt: skip
_PLACE = ("consignee_city", "consignee_state")


@dataclass(frozen=True, slots=True)
class _Ended:
    """An attempt whose call surely booked nothing, with its error."""

    reserved: Reserved
    error: CourierError


class Turns:
    """Whose turn it is among the candidates of a choice, and why the ones before did not book.

    `longest_wait` is as in couriers.booking.protocol.book: without it, a further courier is asked
    only in the first REQUEST_SECONDS. `choice` has who was passed over since, and `errors` are
    those of all couriers that did not book. `has_earlier` is the booking with a candidate that
    turned out to have an earlier attempt of the order. `rounds_before` is given where the order is
    gone on with after a doubt (booking/going_on.py).
    """

    def __init__(
        self,
        company: Company,
        draft: ShipmentDraft,
        choice: Choice,
        *,
        is_test: bool,
        is_trial: bool = False,
        longest_wait: float | None = None,
        candidates: tuple[Candidate, ...] | None = None,
        rounds_before: int | None = None,
    ) -> None:
        self._company = company
        self._draft = draft
        self.choice = choice
        self._is_test = is_test
        self._is_trial = is_trial
        self._left = list(choice.candidates if candidates is None else candidates)
        self._ends = None if longest_wait is not None else time.monotonic() + REQUEST_SECONDS
        self._is_checked = candidates is None  # the choice has checked the circuits just now
        self.errors: list[CourierError | UnknownCourier] = []
        self.has_earlier: Prepared | None = None
        self.round = None if rounds_before is None else Round(rounds_before, self.errors)

    def error(self) -> CourierError | UnknownCourier:
        """Return the error to raise where no courier has booked the order.

        It is the last one that passes by itself, else one that a person must mend, else the last.
        """
        retried = [one for one in self.errors if isinstance(one, (NotSent, NotDone))]
        passing = [one for one in retried if not isinstance(one, HELD_BY_PERSON)]
        return (passing or retried or self.errors)[-1]

    def first(self) -> Prepared:
        """Return the booking with the first candidate that takes it. Raises the last one's error.

        A candidate that refuses before any call is passed over, with its reason in the choice.
        """
        prepared = self._prepare_next()
        if prepared is None:
            raise self.error()
        return prepared

    def instead_of(self, prepared: Prepared, error: CourierError) -> Prepared:
        """Return the next booking after one that could not be reserved, as `first` does."""
        self._pass_over(prepared.account.courier_id, error)
        return self.first()

    def start_next(self, reserved: Reserved, error: CourierError) -> Reserved | None:
        """End the attempt by its error, and start the next one with the same shipment.

        Returns None where no candidate is left or may be asked now, and where something else has
        settled the shipment meanwhile. The attempt then is as it was.
        """
        self.errors.append(error)
        shipment = reserved.prepared.shipment
        if not self._may_go_on():
            return None
        try:
            started = self._start(shipment, _Ended(reserved, error))
        except Exception:
            log.exception("next_courier_not_asked", shipment=shipment.pk)
            started = None
        if started is None:
            shipment.choice = self.choice.as_json()  # with who was passed over since
        return started

    def start_from(self, shipment: Shipment) -> Reserved | None:
        """Start the next attempt of a failed shipment; returns None as `start_next` does.

        Raises IntegrityError where the order has another live shipment.
        """
        return self._start(shipment, None)

    def _may_go_on(self) -> bool:
        if not (self._left and self.choice.fail_over):
            return False
        if self._ends is None or time.monotonic() < self._ends:
            return True
        self.errors.append(
            NotSent(
                f"{self._left[0].courier} was not asked, because the request's time was over",
                courier=self._left[0].courier,
                retry_after=1,
            )
        )
        return False

    def _start(self, shipment: Shipment, ended: _Ended | None) -> Reserved | None:
        while (prepared := self._prepare_next(shipment)) is not None:
            try:
                return _move_with_number(shipment, prepared, ended)
            except CourierError as error:
                self._pass_over(prepared.account.courier_id, error)
        return None

    def _prepare_next(self, own: Shipment | None = None) -> Prepared | None:
        """Prepare the next candidate. `own` is the order's shipment, once it is stored."""
        while self._left:
            candidate = self._left.pop(0)
            try:
                prepared = self._prepare(candidate)
                if own is None or not revive_earlier_attempt(prepared, own=own):
                    return prepared
                self.has_earlier = prepared
                self._left.clear()
            except EarlierUnclear as error:
                self._left.clear()
                self.errors.append(error)
            except BookingInFlight as error:
                self._left.clear()
                self.errors.append(NotSent(str(error), retry_after=error.retry_after))
            except (CourierError, UnknownCourier) as error:
                self._pass_over(candidate.courier, error)
        return None

    def _prepare(self, candidate: Candidate) -> Prepared:
        named = with_courier(self._draft, candidate)
        prepared = prepare(self._company, named, is_test=self._is_test, is_trial=self._is_trial)
        if self.errors or not self._is_checked:
            _check_circuit(prepared.account)
        keep_choice(prepared.shipment, self.choice, candidate)
        return prepared

    def _pass_over(self, courier: str, error: CourierError | UnknownCourier) -> None:
        log.info("courier_passed_over", courier=courier, error=str(error))
        self.errors.append(error)
        passed = (*self.choice.passed_over, passed_over(courier, error))
        self.choice = dataclasses.replace(self.choice, passed_over=passed)


def _check_circuit(account: CourierAccount) -> None:
    """Raise CircuitOpen for a courier that is not called now. Without Redis nobody knows."""
    name = CircuitBreaker.of_account(account.courier_id, account.pk).name
    try:
        opened_at = opened_circuits([name]).get(name)
    except RedisUnavailable:
        return
    left = 0.0 if opened_at is None else opened_at + tunables().BREAKER_COOLDOWN - time.time()
    if left > 0:
        raise CircuitOpen(
            "it has been failing, and is not called for a while",
            courier=account.courier_id,
            retry_after=left,
        )


def _move_with_number(
    shipment: Shipment, prepared: Prepared, ended: _Ended | None
) -> Reserved | None:
    """Move the shipment. Where no reserved number is left, fetch a batch and try once more."""
    try:
        return _move(shipment, prepared, ended)
    except NoReservedId:
        reserved_ids.fetch(prepared.account)
        return _move(shipment, prepared, ended)


def _move(shipment: Shipment, prepared: Prepared, ended: _Ended | None) -> Reserved | None:
    """End the shipment's attempt and start the next one, in one transaction.

    Without `ended` the attempt has ended, and the shipment has failed. Returns None, and writes
    nothing, where the shipment is no longer in that attempt, or its order need not be booked.
    """
    before = send_before(prepared.account)
    made: list[CourierCall] = []
    moved: list[Prepared] = []

    def write() -> bool:
        if made and CourierCall.objects.filter(pk=made[-1].pk).exists():
            return True  # it was committed, and only the database's answer was lost
        row = Shipment.objects.select_for_update(of=("self",)).get(pk=shipment.pk)
        if not _may_move(row, shipment, ended):
            return False
        check_again(prepared.permitted, prepared.account, row.order_number)
        previous = row.status
        _end(ended)
        _take_over(row, prepared)
        call = new_call(row)
        call.save(force_insert=True)
        made.append(call)
        moved.append(identify(dataclasses.replace(prepared, shipment=row)))
        FailOver.objects.filter(shipment=row.pk).delete()
        status_changed(row, previous, row.status)
        signal_step(Step.RESERVING, row.pk)
        return True

    if not write_committed(write):
        return None
    signal_step(Step.RESERVED, shipment.pk)
    log.info(
        "next_courier_asked", shipment=shipment.pk, courier=prepared.account.courier_id,
        attempt=moved[-1].shipment.attempt,
    )  # fmt: skip
    return Reserved(moved[-1], made[-1], before)


def _may_move(row: Shipment, shipment: Shipment, ended: _Ended | None) -> bool:
    """Whether the locked row is in the attempt that has ended, and no courier has the order."""
    if row.attempt != shipment.attempt or row.erased_at is not None:
        return False
    if attempts.open_parcels(row).exists():
        return False
    if ended is None:
        refuse_excess(row)
        return row.status == Status.FAILED
    return row.status in UNSETTLED and not reserved_ids.was_repeated(ended.reserved.call)


def _end(ended: _Ended | None) -> None:
    """Write the end of an attempt and of its call."""
    if ended is None:
        return
    shipment, error = ended.reserved.prepared.shipment, ended.error
    outcome = Outcome(error.outcome)
    end_call(ended.reserved.call, outcome, error)
    reserved_ids.give_back(shipment, error)
    attempts.note_end(shipment, outcome, reason_text(error))


def _take_over(row: Shipment, prepared: Prepared) -> None:
    """Give the row the next attempt, with what of it depends on the courier."""
    made = prepared.shipment
    row.account, row.courier_id = prepared.account, made.courier_id
    row.service, row.price_quoted = made.service, made.price_quoted
    row.warnings, row.choice = made.warnings, made.choice
    row.consignee_city, row.consignee_state = made.consignee_city, made.consignee_state
    row.attempt += 1
    row.failure = ""
    row.updated_at = timezone.now()
    start_attempt(row)
    row.save(update_fields=[*_MOVED, *_PLACE])
