"""Whether one courier can take an order that names none, and at what price.

What the platform knows is checked first, without a call: the switches, the circuit, the limits and
options of the courier, its list of pincodes. Then the courier is asked about what is not known.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from couriers.booking.lane_accounts import AccountOnLane
from couriers.booking.offers import NoQuote, reason_of
from couriers.booking.permission import check_bookings_are_on
from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.contract.errors import (
    CircuitOpen,
    CourierError,
    InvalidRequest,
    NotDone,
    NotFound,
    NotSent,
    NotSupported,
)
from couriers.contract.platform_errors import UnknownCourier
from couriers.contract.registry import CourierFactory
from couriers.contract.types import (
    Direction,
    PaymentMode,
    RateQuote,
    RateRequest,
    Serviceability,
)
from couriers.models import Company
from couriers.models.rule_terms import RuledCourier, Strategy
from couriers.rates.choice import Candidate, PassedOver
from couriers.rates.pricing import courier_quotes, pricing_policy
from couriers.rates.quotes import price_data
from couriers.rates.serviceability import cached_answer


@dataclass(frozen=True, slots=True)
class Wanted:
    """What couriers are asked for. `request` has the warehouse's pincode as its pickup pincode."""

    order_number: str
    request: RateRequest
    options: Mapping[str, Any]
    needs_quotes: bool


@dataclass(frozen=True, slots=True)
class Question:
    """A courier that passed the platform's own checks. Its adapter is made in the main thread."""

    ruled: RuledCourier
    priority: int
    on_lane: AccountOnLane
    adapter: BaseCourierAdapter
    request: RateRequest

    @property
    def asks_for_price(self) -> bool:
        """Whether the courier gives quotes at all."""
        return self.adapter.supports(Capability.GET_RATES)


@dataclass(frozen=True, slots=True)
class Reply:
    """A courier's answer. `problem` is why it does not serve the lane, "" where it does.

    `quotes` are None where it was not asked for a price.
    """

    problem: str = ""
    quotes: Sequence[RateQuote] | None = None


def question_for(
    ruled: RuledCourier, priority: int, on_lane: AccountOnLane, wanted: Wanted, open_for: float
) -> Question:
    """Check what the platform knows of a courier, without a call.

    `open_for` is for how many seconds its circuit stays open, 0 where it is closed. Raises the
    CourierError or UnknownCourier for which it cannot take the order.
    """
    account = on_lane.account
    CourierFactory.adapter_class(account.courier_id)
    check_bookings_are_on(account, wanted.order_number)
    if open_for > 0:
        raise CircuitOpen(
            "it has been failing, and is not called for a while", retry_after=open_for
        )
    adapter = CourierFactory.get_adapter(account)
    is_return = wanted.request.direction == Direction.REVERSE
    create = Capability.CREATE_REVERSE_SHIPMENT if is_return else Capability.CREATE_SHIPMENT
    if not adapter.supports(create):
        raise NotSupported("it takes no returns" if is_return else "it takes no bookings")
    adapter.validate_options(wanted.options)
    service = wanted.request.service or ruled.service
    request = dataclasses.replace(wanted.request, service=service)
    if problems := adapter.order_limits.problems_of(request):
        raise InvalidRequest(problems)
    return Question(ruled, priority, on_lane, adapter, request)


def needs_call(question: Question, wanted: Wanted) -> bool:
    """Whether the courier, or the cache of its answers, has to be asked."""
    if wanted.needs_quotes and question.asks_for_price:
        return True
    if not question.adapter.supports(Capability.CHECK_SERVICEABILITY):
        return False
    ends = {question.request.pickup_pincode, question.request.drop_pincode}
    return question.adapter.serves_lanes or not ends <= question.on_lane.lines.keys()


def ask_courier(question: Question, wanted: Wanted) -> Reply:
    """Ask the courier for what is not known: whether it serves both ends, and its quotes.

    Answers are cached. Raises the courier's errors. It reads no table, so a thread may run it.
    """
    if problem := _lane_problem(question):
        return Reply(problem)
    if not (wanted.needs_quotes and question.asks_for_price):
        return Reply()
    quotes = courier_quotes(question.on_lane.account, question.request)
    return Reply("" if quotes else "no service is offered on the lane", quotes)


def candidate_of(
    company: Company, question: Question, quotes: Sequence[RateQuote] | None, strategy: str
) -> Candidate:
    """Return the candidate that a courier is, with the best of its quotes by the strategy."""
    ruled, request = question.ruled, question.request
    made = Candidate(
        ruled.courier, request.service, priority=question.priority, weight=ruled.weight
    )
    if not quotes:
        return made
    price = pricing_policy()
    offers = [
        dataclasses.replace(
            made,
            service=quote.service,
            price=paid.total,
            days=quote.max_days,
            quoted=price_data(paid),
        )
        for quote in quotes
        for paid in (price(company, quote, request),)
    ]
    return min(offers, key=_by_days if strategy == Strategy.FASTEST else _by_price)


def passed_over(courier: str, error: CourierError | UnknownCourier) -> PassedOver:
    """Return why a courier is passed over, from the error that it raised."""
    if isinstance(error, UnknownCourier):
        return PassedOver(courier, NoQuote.NOT_SUPPORTED, "its plug-in is not installed")
    if isinstance(error, NotFound):
        return PassedOver(courier, NoQuote.NOT_SERVICEABLE, error.reason)
    retry_after = error.retry_after if isinstance(error, (NotSent, NotDone)) else None
    return PassedOver(courier, reason_of(error), error.reason, retry_after)


def _by_price(one: Candidate) -> tuple[Any, ...]:
    return one.price, one.days is None, one.days or 0, one.service


def _by_days(one: Candidate) -> tuple[Any, ...]:
    return one.days is None, one.days or 0, one.price, one.service


def _lane_problem(question: Question) -> str:
    """Return why the courier does not serve the lane for what is asked, or ""."""
    request, adapter = question.request, question.adapter
    account, lines = question.on_lane.account, question.on_lane.lines
    if adapter.serves_lanes:
        if not adapter.supports(Capability.CHECK_SERVICEABILITY):
            return ""
        answer = cached_answer(account, adapter, request.drop_pincode, request.pickup_pincode)
        return end_problem(answer, request, at_consignee=True)
    for pincode, at_consignee in ((request.drop_pincode, True), (request.pickup_pincode, False)):
        answer_at = lines.get(pincode)
        if answer_at is None:
            if not adapter.supports(Capability.CHECK_SERVICEABILITY):
                continue
            answer_at = cached_answer(account, adapter, pincode, "")
        if problem := end_problem(answer_at, request, at_consignee=at_consignee):
            return problem
    return ""


def end_problem(answer: Serviceability, request: RateRequest, *, at_consignee: bool) -> str:
    """Return why one end of the lane is not served, or "". What is not named is believed."""
    is_return = request.direction == Direction.REVERSE
    named = {
        (False, True): answer.forward_drop,
        (False, False): answer.forward_pickup,
        (True, True): answer.reverse_pickup,
        (True, False): answer.reverse_drop,
    }[is_return, at_consignee]
    serves = answer.serviceable if named is None else named
    if at_consignee and not is_return:
        serves = serves and answer.serviceable
    if not serves:
        act = "pick up" if is_return == at_consignee else "deliver"
        return f"it does not {act} at {answer.pincode}"
    if at_consignee and request.payment_mode == PaymentMode.COD and request.cod_amount:
        return _cod_problem(answer, request)
    return ""


def _cod_problem(answer: Serviceability, request: RateRequest) -> str:
    if answer.cod is False:
        return f"it collects no cash at {answer.pincode}"
    if answer.max_cod_amount is not None and request.cod_amount > answer.max_cod_amount:
        return f"it collects at most {answer.max_cod_amount:.2f} rupees at {answer.pincode}"
    return ""
