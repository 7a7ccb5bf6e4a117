"""The choice of a courier: the rule that holds for an order, and its couriers in order.

Pure: it knows no tables, no network and no bookings. couriers.booking.choosing asks what can serve
the order, and these functions put the candidates in order. The same order gets the same choice from
the same facts, however often it is asked for.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from couriers.models.rule_terms import OrderFacts, RuleTerms, Strategy

# What is chosen by where a company has no rules, or none of them holds.
DEFAULT_TERMS = RuleTerms()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A courier that can take an order, with the service to book.

    `price` is the company's in rupees and `days` the most of transit, None where no quote was
    asked for or given; `quoted` are the price's parts. `priority` is its place in the rule's list,
    from 1, and `weight` its share there.
    """

    courier: str
    service: str = ""
    price: Decimal | None = None
    days: int | None = None
    priority: int = 1
    weight: int = 1
    quoted: Mapping[str, str] | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the candidate as it is stored and answered."""
        return {
            "courier": self.courier,
            "service": self.service,
            "price": None if self.price is None else f"{self.price:.2f}",
            "days": self.days,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Candidate:
        """Return a stored candidate, without the parts of its price."""
        price = data["price"]
        amount = None if price is None else Decimal(price)
        return cls(data["courier"], data["service"], amount, data["days"])


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A courier that cannot take the order now. `reason` is one of offers.NoQuote's values.

    `retry_after` is in seconds, None where asking again does not help or no time is known.
    """

    courier: str
    reason: str
    detail: str
    retry_after: float | None = None

    def as_json(self) -> dict[str, str]:
        """Return it as it is stored and answered."""
        return {"courier": self.courier, "reason": str(self.reason), "detail": self.detail}


@dataclass(frozen=True, slots=True)
class Choice:
    """The candidates in the order in which they are asked to book, and who was passed over.

    `rule_id` and `rule_name` are "" where no rule of the company holds. `fail_over` says whether
    the next candidate is asked after one that surely did not book, `after_doubt` whether it is
    asked also once a doubt has been settled as not booked.
    """

    candidates: tuple[Candidate, ...]
    passed_over: tuple[PassedOver, ...] = ()
    rule_id: str = ""
    rule_name: str = ""
    strategy: str = Strategy.CHEAPEST
    fail_over: bool = True
    after_doubt: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the choice as `Shipment.choice` stores it, and the API answers it."""
        return {
            "rule": self.rule_id or None,
            "rule_name": self.rule_name,
            "strategy": str(self.strategy),
            "fail_over": self.fail_over,
            "after_doubt": self.after_doubt,
            "candidates": [each.as_json() for each in self.candidates],
            "passed_over": [each.as_json() for each in self.passed_over],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Choice:
        """Return a stored choice."""
        return cls(
            candidates=tuple(Candidate.from_json(each) for each in data["candidates"]),
            passed_over=tuple(
                PassedOver(each["courier"], each["reason"], each["detail"])
                for each in data["passed_over"]
            ),
            rule_id=data["rule"] or "",
            rule_name=data["rule_name"],
            strategy=data["strategy"],
            fail_over=data["fail_over"],
            after_doubt=data["after_doubt"],
        )


def terms_for(rules: Iterable[RuleTerms], order: OrderFacts) -> RuleTerms:
    """Return the first of the rules that holds for the order, else DEFAULT_TERMS."""
    return next((rule for rule in rules if rule.conditions.hold(order)), DEFAULT_TERMS)


def order_seed(company_id: int, direction: str, order_number: str) -> str:
    """Return the text that names an order, for the strategy by weights."""
    return f"{company_id}|{direction}|{order_number}"


def in_order(
    candidates: Sequence[Candidate], strategy: str, *, seed: str, best: Sequence[str] = ()
) -> tuple[Candidate, ...]:
    """Return the candidates in the strategy's order.

    A candidate without a price or days comes after those with. `seed` names the order, for the
    strategy by weights. `best` are couriers by their performance on the lane, the best first; those
    that it lacks come last, by price.
    """
    places = {code: place for place, code in enumerate(best)}
    keys: dict[str, Callable[[Candidate], tuple[Any, ...]]] = {
        Strategy.PRIORITY: lambda one: (one.priority,),
        Strategy.CHEAPEST: lambda one: (_last(one.price), _last(one.days)),
        Strategy.FASTEST: lambda one: (_last(one.days), _last(one.price)),
        Strategy.WEIGHTS: lambda one: (_draw(one, seed),),
        Strategy.BEST: lambda one: (places.get(one.courier, len(places)), _last(one.price)),
    }
    key = keys[strategy]
    return tuple(sorted(candidates, key=lambda one: (*key(one), one.priority, one.courier)))


def _last(value: Any) -> tuple[bool, Any]:
    """Return a sort key that puts None after every value."""
    return value is None, value or 0


def _draw(candidate: Candidate, seed: str) -> float:
    """Return where a candidate stands for this order, the lowest first.

    The order and the courier decide it by a hash, so each courier comes first for its share of all
    orders, and for one order always the same. Where a courier falls away, the others keep their
    order (weighted rendezvous hashing).
    """
    if not candidate.weight:
        return math.inf
    digest = hashlib.sha256(f"{seed}|{candidate.courier}".encode()).digest()
    uniform = (int.from_bytes(digest[:8], "big") + 1) / (2**64 + 1)
    return -math.log(uniform) / candidate.weight
