"""What a company's rules would have chosen for its orders of the last 30 days, and cost.

No courier is asked. Who serves a pincode is read from the couriers' lists, as far as they are
loaded. Prices and days are estimates: the means of what the company's own parcels of these days
cost and took, by courier, zone and weight. Where a courier has none of a kind, a wider kind is
taken, and where it has none at all, its price is not known.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils import timezone

from couriers.booking.candidates import end_problem
from couriers.contract import india
from couriers.contract.money import to_paisa
from couriers.contract.registry import CourierFactory
from couriers.contract.statuses import Status
from couriers.contract.types import Direction, Parcel, PaymentMode, RateRequest, Serviceability
from couriers.models import Company, CourierAccount, CourierRule, ServiceablePincode, Shipment
from couriers.models.ids import first_shipment_id
from couriers.models.rule_terms import InvalidRule, OrderFacts, RuledCourier, RuleTerms, Strategy
from couriers.rates.choice import DEFAULT_TERMS, Candidate, in_order, order_seed, terms_for
from couriers.rates.performance import best_couriers
from couriers.rates.serviceability import oldest_fresh

DAYS = 30
MAX_ORDERS = 5_000  # the newest
SLAB = 500  # grams
_PINCODES_AT_ONCE = 1_000
_COLUMNS = (
    "direction", "order_number", "payment_mode", "cod_amount", "total_amount", "weight_g",
    "length_cm", "width_cm", "height_cm", "consignee_pincode", "consignee_state", "service",
    "items", "courier_id", "warehouse__pincode", "price_booked", "charges", "status",
    "booked_at", "status_at",
)  # fmt: skip


@dataclass(slots=True)
class RuleOutcome:
    """What one rule would have done; "" is the id of what is chosen where no rule holds.

    `orders` are those that it holds for, `by_courier` whom it would have chosen, `same` how many of
    them had that courier, `nobody` those that none of its couriers takes. `cost` is the sum of the
    estimates in rupees and `paid` what the same orders cost, over those where both are known;
    `unknown` are the others.
    """

    id: str
    name: str
    strategy: str
    orders: int = 0
    by_courier: Counter[str] = field(default_factory=Counter)
    same: int = 0
    nobody: int = 0
    cost: Decimal = Decimal("0.00")
    paid: Decimal = Decimal("0.00")
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class Simulation:
    """The outcome of each rule, in order, and last of what is chosen where none holds.

    `orders` were looked at; where `is_cut`, there are older ones in these days.
    """

    orders: int
    is_cut: bool
    outcomes: tuple[RuleOutcome, ...]


@dataclass(frozen=True, slots=True)
class _Order:
    facts: OrderFacts
    request: RateRequest
    number: str
    courier: str
    paid: Decimal | None
    seconds: float | None

    @property
    def kinds(self) -> Iterator[tuple[Any, ...]]:
        """The kinds of parcels that it is one of, the narrowest first."""
        zone = india.zone_of(self.facts.warehouse_pincode, self.facts.consignee_pincode)
        yield zone, self.facts.payment_mode, -(-self.facts.weight_g // SLAB)
        yield (zone,)
        yield ()


def simulate_rules(company: Company, *, is_test: bool = False) -> Simulation:
    """Try the company's enabled rules on its orders of the last DAYS days. Calls no courier."""
    since = first_shipment_id(timezone.now() - dt.timedelta(days=DAYS))
    rows = Shipment.objects.filter(company=company, is_test=is_test, id__gte=since)
    booked = rows.exclude(booked_at=None).order_by("-id").values(*_COLUMNS)
    found = list(booked[: MAX_ORDERS + 1])
    orders = [_order(row) for row in found[:MAX_ORDERS]]
    rules = _rules(company, is_test=is_test)
    outcomes = {
        one.id: RuleOutcome(one.id, one.name, one.strategy) for one in (*rules, DEFAULT_TERMS)
    }
    trial = _Trial(company, orders, _couriers(company, is_test=is_test))
    for order in orders:
        terms = terms_for(rules, order.facts)
        _count(outcomes[terms.id], order, trial.choose(terms, order))
    return Simulation(len(orders), len(found) > MAX_ORDERS, tuple(outcomes.values()))


def _rules(company: Company, *, is_test: bool) -> list[RuleTerms]:
    """Return what the enabled rules say, without those that cannot be read."""
    rows = CourierRule.objects.filter(company=company, is_test=is_test, is_enabled=True)
    terms = []
    for row in rows.order_by("position", "id"):
        try:
            terms.append(row.terms())
        except InvalidRule:
            continue
    return terms


def _couriers(company: Company, *, is_test: bool) -> list[str]:
    """Return the couriers that the company has an account with, and that are installed."""
    accounts = CourierAccount.objects.filter(company=company, is_test=is_test)
    known = CourierFactory.codes()
    codes = accounts.order_by("courier_id").values_list("courier_id", flat=True)
    return [code for code in codes if code in known]


def _count(outcome: RuleOutcome, order: _Order, chosen: Candidate | None) -> None:
    outcome.orders += 1
    if chosen is None:
        outcome.nobody += 1
        return
    outcome.by_courier[chosen.courier] += 1
    outcome.same += chosen.courier == order.courier
    if chosen.price is None or order.paid is None:
        outcome.unknown += 1
    else:
        outcome.cost += chosen.price
        outcome.paid += order.paid


class _Trial:
    """Chooses for one order after another, from what the orders and the lists tell."""

    def __init__(self, company: Company, orders: Sequence[_Order], couriers: list[str]) -> None:
        self._company = company
        self._couriers = couriers
        self._prices = _means(orders, lambda one: one.paid)
        self._seconds = _means(
            orders, lambda one: None if one.seconds is None else Decimal(one.seconds)
        )
        self._lines = _lines(couriers, {one.facts.consignee_pincode for one in orders})
        self._best = functools.cache(
            lambda pickup, drop: best_couriers(company, pickup, drop, couriers)
        )

    def choose(self, terms: RuleTerms, order: _Order) -> Candidate | None:
        """Return whom the rule would have chosen, None where none of its couriers takes it."""
        ruled = terms.couriers or tuple(RuledCourier(courier=code) for code in self._couriers)
        candidates = [
            self._candidate(each, place, order)
            for place, each in enumerate(ruled, start=1)
            if self._takes(each, order)
        ]
        best: Sequence[str] = ()
        if terms.strategy == Strategy.BEST:
            # A lane is between regions, the first two digits.
            lane = (order.facts.warehouse_pincode[:2], order.facts.consignee_pincode[:2])
            best = self._best(*lane)
        seed = order_seed(self._company.pk, order.facts.direction, order.number)
        ranked = in_order(candidates, terms.strategy, seed=seed, best=best)
        return ranked[0] if ranked else None

    def _takes(self, ruled: RuledCourier, order: _Order) -> bool:
        """Whether the courier takes the order by its limits, and by its list where it is loaded."""
        if ruled.courier not in self._couriers:
            return False
        if CourierFactory.adapter_class(ruled.courier).order_limits.problems_of(order.request):
            return False
        line = self._lines.get((ruled.courier, order.facts.consignee_pincode))
        return line is None or not end_problem(line, order.request, at_consignee=True)

    def _candidate(self, ruled: RuledCourier, place: int, order: _Order) -> Candidate:
        code = ruled.courier
        price = _estimate(self._prices, code, order)
        seconds = _estimate(self._seconds, code, order)
        return Candidate(
            code,
            ruled.service,
            price=None if price is None else to_paisa(price),
            days=None if seconds is None else int(seconds),  # finer than days, to tell them apart
            priority=place,
            weight=ruled.weight,
        )


def _means(orders: Iterable[_Order], value: Any) -> Mapping[tuple[Any, ...], Decimal]:
    """Return the means of a value by courier and kind of parcel, over the orders that have it."""
    sums: dict[tuple[Any, ...], list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for order in orders:
        if (amount := value(order)) is None:
            continue
        for kind in order.kinds:
            entry = sums[(order.courier, *kind)]
            entry[0] += amount
            entry[1] += 1
    return {kind: total / count for kind, (total, count) in sums.items()}


def _estimate(
    means: Mapping[tuple[Any, ...], Decimal], courier: str, order: _Order
) -> Decimal | None:
    """Return the mean of the narrowest kind that the courier carried parcels of."""
    return next((means[key] for kind in order.kinds if (key := (courier, *kind)) in means), None)


def _lines(couriers: list[str], pincodes: set[str]) -> dict[tuple[str, str], Serviceability]:
    """Return the fresh lines of the couriers' lists at these pincodes."""
    found = {}
    wanted = sorted(pincodes)
    for start in range(0, len(wanted), _PINCODES_AT_ONCE):
        rows = ServiceablePincode.objects.filter(
            courier__in=couriers,
            pincode__in=wanted[start : start + _PINCODES_AT_ONCE],
            loaded_at__gte=oldest_fresh(),
        )
        for row in rows.order_by():
            found[row.courier_id, row.pincode] = row.as_serviceability()
    return found


def _order(row: dict[str, Any]) -> _Order:
    """Return an order of the last days, as rules and couriers see it."""
    facts = OrderFacts(
        payment_mode=PaymentMode(row["payment_mode"]),
        direction=Direction(row["direction"]),
        warehouse_pincode=row["warehouse__pincode"],
        consignee_pincode=row["consignee_pincode"],
        weight_g=row["weight_g"],
        value=row["total_amount"],
        state=row["consignee_state"],
        skus=frozenset(sku for item in row["items"] if (sku := item.get("sku"))),
        service=row["service"],
    )
    request = RateRequest(
        pickup_pincode=facts.warehouse_pincode,
        drop_pincode=facts.consignee_pincode,
        parcel=Parcel(row["weight_g"], row["length_cm"], row["width_cm"], row["height_cm"]),
        payment_mode=facts.payment_mode,
        invoice_amount=facts.value,
        cod_amount=row["cod_amount"],
        direction=facts.direction,
    )
    paid = (row["price_booked"] or row["charges"] or {}).get("total")
    took = None
    if row["status"] == Status.DELIVERED and row["status_at"]:
        took = (row["status_at"] - row["booked_at"]).total_seconds()
    amount = None if paid is None else Decimal(paid)
    return _Order(facts, request, row["order_number"], row["courier_id"], amount, took)
