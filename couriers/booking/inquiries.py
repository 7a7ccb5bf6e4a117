"""Asking couriers about bookings in doubt, until each is settled.

A courier is asked by the same create call with the same reserved number, or by a search. Rows are
claimed one at a time, the longest due first. A courier that cannot say is asked again after a pause
that doubles, and its account is left alone for the rest of the run.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from couriers.booking import inquiry_answers, repeats, reserved_ids, search
from couriers.booking.create_call import is_refused_create
from couriers.booking.inquiry_answers import PAUSES
from couriers.booking.leases import seconds_until_call_is_over
from couriers.booking.stored_requests import search_request
from couriers.conf import tunables
from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.contract.errors import CourierError, NotSent, Unknown
from couriers.contract.platform_errors import UnreadableValue
from couriers.contract.registry import CourierFactory
from couriers.contract.statuses import Status
from couriers.contract.types import Booking
from couriers.models import DoubtInquiry, Shipment
from couriers.models.claims import bring_forward, claim, due, seconds_from_now, unclaimed
from couriers.models.inquiry import InquiryAnswer
from couriers.resilience import waits
from couriers.resilience.retry import retry_safely

OPENED_AT_ONCE = 1000
LONGEST_WAIT = 5.0  # seconds for the rate limiter; if its turn comes later, the row is put off


@dataclass(slots=True)
class Asked:
    """What a run has done: how many answers there were, and how many doubts they settled."""

    asked: int = 0
    booked: int = 0
    not_booked: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of asking once. `settled` is how the doubt ended, None while it has not.

    `answer` is NONE where nothing was asked: the doubt was settled before, or a create call may
    still be answered.
    """

    answer: InquiryAnswer = InquiryAnswer.NONE
    settled: Status | None = None


def ask_about_doubts(seconds: float, on_reply: Callable[[], None] = lambda: None) -> Asked:
    """Ask about the doubts that are due, for about `seconds`; return what came of it.

    It may run in several processes at once.
    """
    asked = Asked()
    codes = askable_couriers()
    if not codes:
        return asked
    open_inquiries(codes)
    bring_forward(DoubtInquiry.objects.all(), PAUSES.longest)
    deadline = time.monotonic() + seconds
    busy: set[str] = set()
    while time.monotonic() < deadline and (inquiry := _claim_next(codes, busy)):
        reply = ask(inquiry)
        if reply.answer is InquiryAnswer.CANNOT_SAY:
            busy.add(inquiry.shipment.account_id)
        asked.asked += reply.answer is not InquiryAnswer.NONE
        asked.booked += reply.settled is Status.BOOKED
        asked.not_booked += reply.settled is Status.FAILED
        on_reply()
    return asked


def askable_couriers() -> list[str]:
    """Return the couriers that can be searched, or whose create calls can be repeated."""
    wanted = {Capability.FIND_BOOKING, Capability.RESERVE_IDS}
    return [
        code
        for code in CourierFactory.codes()
        if CourierFactory.adapter_class(code).capabilities & wanted
    ]


def open_inquiries(codes: list[str]) -> int:
    """Store an inquiry for each of these couriers' doubts that has none; return how many."""
    known = DoubtInquiry.objects.filter(shipment=OuterRef("pk"), attempt=OuterRef("attempt"))
    doubts = Shipment.objects.filter(status=Status.IN_DOUBT, courier__in=codes)
    without = doubts.filter(~Exists(known)).order_by("id").values_list("pk", "attempt")
    rows = [
        DoubtInquiry(shipment_id=pk, attempt=attempt, next_attempt_at=Now())
        for pk, attempt in without[:OPENED_AT_ONCE]
    ]
    DoubtInquiry.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _claim_next(codes: list[str], busy: set[str]) -> DoubtInquiry | None:
    rows = DoubtInquiry.objects.filter(due(), unclaimed(), shipment__courier__in=codes)
    rows = rows.exclude(shipment__account__in=busy).select_related("shipment")
    claimed = claim(
        rows.order_by("next_attempt_at"),
        limit=1,
        lease_expires_at=seconds_from_now(tunables().BOOKING_LEASE),
    )
    return claimed[0] if claimed else None


def ask(inquiry: DoubtInquiry) -> Reply:
    """Ask the courier once about a claimed inquiry, and store what came of it."""
    rows = Shipment.objects.select_related("account", "courier", "company", "warehouse")
    shipment = rows.get(pk=inquiry.shipment_id)
    if shipment.status != Status.IN_DOUBT or shipment.attempt != inquiry.attempt:
        inquiry_answers.end(inquiry)
        return Reply()
    if (left := seconds_until_call_is_over(shipment)) > 0:
        inquiry_answers.put_off(inquiry, left)
        return Reply()
    try:
        return _ask(inquiry, shipment)
    except CourierError as error:
        inquiry_answers.note_failure(inquiry, error)
    except UnreadableValue as error:
        unreadable = NotSent(f"{error}; nothing was sent", courier=shipment.courier_id)
        inquiry_answers.note_failure(inquiry, unreadable)
    return Reply(InquiryAnswer.CANNOT_SAY)


def _ask(inquiry: DoubtInquiry, shipment: Shipment) -> Reply:
    """Repeat the create call or search. Raises a CourierError where the courier cannot say."""
    adapter = CourierFactory.get_adapter(shipment.account)
    number = reserved_ids.number_of(shipment)
    can_search = adapter.supports(Capability.FIND_BOOKING)
    can_repeat = (
        number
        and reserved_ids.reserves_ids(adapter)
        and inquiry.repeat_refused_at is None
        and shipment.erased_at is None
    )
    if can_repeat and (repeats.are_permitted(shipment) or not can_search):
        return _repeat(inquiry, shipment, adapter, number)
    if can_search:
        return _search(inquiry, shipment, adapter, number)
    inquiry_answers.end(inquiry)
    return Reply()


def _repeat(
    inquiry: DoubtInquiry, shipment: Shipment, adapter: BaseCourierAdapter, number: str
) -> Reply:
    # The call may book the order now: an absence from before it would prove nothing.
    inquiry_answers.forget_absences(inquiry)
    answer = repeats.repeat_create(shipment, adapter, number)
    if answer is None:
        inquiry_answers.put_off(inquiry, PAUSES.first)
        return Reply()
    if isinstance(answer, CourierError):
        if not (is_refused_create(answer) and adapter.supports(Capability.FIND_BOOKING)):
            raise answer
        inquiry_answers.note_refusal(inquiry, answer)
        return Reply(InquiryAnswer.REFUSED)
    found = InquiryAnswer.FOUND if answer is Status.BOOKED else InquiryAnswer.ABSENT
    inquiry_answers.note_end(inquiry, found)
    return Reply(found, answer)


def _search(
    inquiry: DoubtInquiry, shipment: Shipment, adapter: BaseCourierAdapter, number: str
) -> Reply:
    times = inquiry_answers.begin_search(inquiry)
    request = search_request(shipment, number)
    with waits.allow_long_waits(LONGEST_WAIT):
        booking = retry_safely(lambda: search.search(adapter, shipment, request))
    if booking is not None:
        return Reply(InquiryAnswer.FOUND, _settle_found(inquiry, booking))
    if inquiry_answers.note_absence(inquiry, times, adapter):
        return Reply(InquiryAnswer.ABSENT, Status.FAILED)
    return Reply(InquiryAnswer.ABSENT)


def _settle_found(inquiry: DoubtInquiry, booking: Booking) -> Status | None:
    """Settle the doubt as booked, if it is still one. Raises Unknown for another one's id."""
    try:
        with transaction.atomic():
            shipment = Shipment.objects.select_for_update(of=("self",)).get(pk=inquiry.shipment_id)
            is_open = shipment.status == Status.IN_DOUBT and shipment.attempt == inquiry.attempt
            if is_open:
                search.settle_found(shipment, booking)
            inquiry_answers.note_end(inquiry, InquiryAnswer.FOUND)
    except IntegrityError as error:
        raise Unknown(
            "the search found the tracking id of another shipment", courier=shipment.courier_id
        ) from error
    return Status.BOOKED if is_open else None
