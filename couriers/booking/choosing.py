"""Chooses the courier of an order that names none, by the company's rules.

The rule that holds for the order names its couriers and how one of them is chosen
(couriers.rates.choice). Here they are asked, side by side and for a limited time, whether they can
take the order: enabled, circuit closed, within their limits, serving both ends of the lane. Answers
are cached, so that the same lane is asked about once. Nothing is stored.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial

from couriers.booking.candidates import (
    Question,
    Reply,
    Wanted,
    ask_courier,
    candidate_of,
    needs_call,
    passed_over,
    question_for,
)
from couriers.booking.lane_accounts import LaneAccounts, accounts_on_lane, rules_of
from couriers.booking.offers import ASK_SECONDS, LATE_RETRY_AFTER, NoQuote
from couriers.booking.permission import DISABLED_RETRY_AFTER
from couriers.conf import tunables
from couriers.contract.errors import (
    CircuitOpen,
    CourierDisabled,
    CourierError,
    FieldProblem,
    InvalidRequest,
    NotSent,
    RateLimited,
)
from couriers.contract.logs import get_logger
from couriers.contract.money import amounts_of
from couriers.contract.platform_errors import UnknownCourier
from couriers.contract.registry import AUTO
from couriers.contract.types import RateRequest, ShipmentDraft
from couriers.models import Company, Shipment
from couriers.models.rule_terms import (
    NEEDS_QUOTES,
    OrderFacts,
    RuledCourier,
    RuleTerms,
    Strategy,
)
from couriers.rates.choice import (
    Candidate,
    Choice,
    PassedOver,
    in_order,
    order_seed,
    terms_for,
)
from couriers.rates.performance import best_couriers
from couriers.resilience import waits
from couriers.resilience.circuit_breaker import CircuitBreaker, opened_circuits
from couriers.resilience.shared import RedisUnavailable
from couriers.resilience.threads import call_for

log = get_logger(__name__)

RETRY_AFTER = 5.0  # seconds, where couriers were passed over that may soon take the order
# Reasons that pass by themselves; the order is then to be asked for again, not changed.
_PASSING = frozenset(
    {NoQuote.CIRCUIT_OPEN, NoQuote.BUSY, NoQuote.TIMED_OUT, NoQuote.FAILED}
)  # fmt: skip
# Of these, those that bulk work waits for however long they last.
_HELD_BACK: dict[str, type[NotSent]] = {
    NoQuote.BUSY: RateLimited,
    NoQuote.CIRCUIT_OPEN: CircuitOpen,
}
_OFF = frozenset({NoQuote.SWITCHED_OFF, NoQuote.NOT_ENABLED})


def is_auto(draft: ShipmentDraft) -> bool:
    """Whether the order leaves the choice of the courier to the company's rules."""
    return draft.courier in ("", AUTO)


def with_courier(draft: ShipmentDraft, candidate: Candidate) -> ShipmentDraft:
    """Return the draft as one that names the candidate's courier and service."""
    return dataclasses.replace(draft, courier=candidate.courier, service=candidate.service)


def keep_choice(shipment: Shipment, choice: Choice, candidate: Candidate) -> None:
    """Set on an unsaved shipment why it got its courier, and the price of the candidate's quote."""
    shipment.choice = choice.as_json()
    shipment.price_quoted = None if candidate.quoted is None else dict(candidate.quoted)


def choose(
    company: Company, draft: ShipmentDraft, *, is_test: bool, longest_wait: float | None = None
) -> Choice:
    """Choose the couriers of a checked order, in the order in which they are asked to book.

    At least one candidate is chosen. `longest_wait` is as in couriers.booking.protocol.book: bulk
    work waits so many seconds for the couriers' answers, a request ASK_SECONDS; who answers later
    is passed over, and found in the cache the next time.

    Raises InvalidRequest naming `courier`, with each courier's reason, where none can take the
    order; NotSent where one of them may soon, and CourierDisabled where all are switched off.
    """
    if draft.quote:
        message = "is of one courier: name it in courier, or leave the quote out"
        raise InvalidRequest([FieldProblem("quote", message)])
    lane = accounts_on_lane(company, draft, is_test=is_test)
    rules = rules_of(company, is_test=is_test)
    terms = terms_for(rules, order_facts(draft, lane.warehouse_pincode))
    wanted = Wanted(
        order_number=draft.order_number,
        request=_rate_request(draft, lane.warehouse_pincode),
        options=draft.options,
        needs_quotes=terms.strategy in NEEDS_QUOTES,
    )
    questions, refused = _questions(terms, lane, wanted)
    replies = _ask(questions, wanted, longest_wait)
    candidates = []
    for question, reply in zip(questions, replies, strict=True):
        if isinstance(reply, PassedOver):
            refused.append(reply)
        else:
            candidates.append(candidate_of(company, question, reply.quotes, terms.strategy))
    codes = [each.courier for each in candidates]
    best = (
        best_couriers(company, lane.warehouse_pincode, draft.consignee.pincode, codes)
        if terms.strategy == Strategy.BEST
        else []
    )
    seed = order_seed(company.pk, draft.direction, draft.order_number)
    choice = Choice(
        candidates=in_order(candidates, terms.strategy, seed=seed, best=best),
        passed_over=tuple(refused),
        rule_id=terms.id,
        rule_name=terms.name,
        strategy=terms.strategy,
        fail_over=terms.fail_over,
        after_doubt=terms.book_after_doubt,
    )
    if not candidates:
        raise _none_left(choice)
    return choice


def order_facts(draft: ShipmentDraft, warehouse_pincode: str) -> OrderFacts:
    """Return what rules ask about an order."""
    return OrderFacts(
        payment_mode=draft.payment_mode,
        direction=draft.direction,
        warehouse_pincode=warehouse_pincode,
        consignee_pincode=draft.consignee.pincode,
        weight_g=draft.parcel.weight_g,
        value=amounts_of(draft.items).total,
        state=draft.consignee.state,
        skus=frozenset(item.sku for item in draft.items if item.sku),
        service=draft.service,
    )


def _rate_request(draft: ShipmentDraft, warehouse_pincode: str) -> RateRequest:
    return RateRequest(
        pickup_pincode=warehouse_pincode,
        drop_pincode=draft.consignee.pincode,
        parcel=draft.parcel,
        payment_mode=draft.payment_mode,
        invoice_amount=amounts_of(draft.items).total,
        cod_amount=draft.cod_amount,
        direction=draft.direction,
        service=draft.service,
    )


def _questions(
    terms: RuleTerms, lane: LaneAccounts, wanted: Wanted
) -> tuple[list[Question], list[PassedOver]]:
    """Return whom to ask, and who cannot take the order by what the platform knows."""
    ruled = terms.couriers or tuple(RuledCourier(courier=code) for code in lane.accounts)
    open_for = _open_circuits(lane, [each.courier for each in ruled])
    questions: list[Question] = []
    refused: list[PassedOver] = []
    for priority, each in enumerate(ruled, start=1):
        on_lane = lane.accounts.get(each.courier)
        if on_lane is None:
            detail = "the company has no account with it"
            refused.append(PassedOver(each.courier, NoQuote.NOT_ENABLED, detail))
            continue
        try:
            wait = open_for.get(each.courier, 0.0)
            questions.append(question_for(each, priority, on_lane, wanted, wait))
        except (CourierError, UnknownCourier) as error:
            refused.append(passed_over(each.courier, error))
    return questions, refused


def _open_circuits(lane: LaneAccounts, codes: Iterable[str]) -> Mapping[str, float]:
    """Return for how many seconds the circuits of these couriers stay open, by one round trip.

    Nobody knows them without Redis: each call then meets its own circuit.
    """
    names = {
        CircuitBreaker.of_account(code, lane.accounts[code].account.pk).name: code
        for code in codes
        if code in lane.accounts
    }
    try:
        opened = opened_circuits(list(names))
    except RedisUnavailable:
        return {}
    until = tunables().BREAKER_COOLDOWN - time.time()
    return {names[name]: opened_at + until for name, opened_at in opened.items()}


def _ask(
    questions: Sequence[Question], wanted: Wanted, longest_wait: float | None
) -> list[Reply | PassedOver]:
    """Return each courier's reply. All that must be asked are asked at once."""
    asked = [each for each in questions if needs_call(each, wanted)]
    seconds = ASK_SECONDS if longest_wait is None else longest_wait
    with _waits(longest_wait):
        futures = call_for(
            seconds, [partial(ask_courier, each, wanted) for each in asked], name="choice"
        )
    by_courier = dict(zip((each.ruled.courier for each in asked), futures, strict=True))
    replies: list[Reply | PassedOver] = []
    for each in questions:
        code = each.ruled.courier
        future = by_courier.get(code)
        if future is not None and not future.done():
            log.warning("choice_without_late_courier", account=each.on_lane.account.pk)
            detail = f"no answer within {seconds:g} s"
            replies.append(PassedOver(code, NoQuote.TIMED_OUT, detail, LATE_RETRY_AFTER))
            continue
        try:
            reply = ask_courier(each, wanted) if future is None else future.result()
        except CourierError as error:
            replies.append(passed_over(code, error))
            continue
        is_served = not reply.problem
        missing = PassedOver(code, NoQuote.NOT_SERVICEABLE, reply.problem)
        replies.append(reply if is_served else missing)
    return replies


def _waits(longest_wait: float | None) -> AbstractContextManager[None]:
    return nullcontext() if longest_wait is None else waits.allow_long_waits(longest_wait)


def _none_left(choice: Choice) -> CourierError:
    """Return the error of an order that no courier can take, with each courier's reason."""
    by_rule = f" by the rule {choice.rule_name!r}" if choice.rule_name else ""
    reasons = "; ".join(f"{one.courier}: {one.detail}" for one in choice.passed_over)
    found = {one.reason for one in choice.passed_over}
    if found & _PASSING:
        delays = [one.retry_after for one in choice.passed_over if one.reason in _PASSING]
        kind = next((each for reason, each in _HELD_BACK.items() if reason in found), NotSent)
        return kind(
            f"no courier can take the order now{by_rule}: {reasons}",
            retry_after=min((delay for delay in delays if delay), default=RETRY_AFTER),
        )
    if found and found <= _OFF:
        message = f"no courier takes new bookings{by_rule}: {reasons}"
        return CourierDisabled(message, retry_after=DISABLED_RETRY_AFTER)
    problems = [
        FieldProblem("courier", f"{one.courier} cannot take the order{by_rule}: {one.detail}")
        for one in choice.passed_over
    ]
    return InvalidRequest(problems)
