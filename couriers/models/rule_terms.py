"""What a courier rule says: its conditions, its couriers and how one of them is chosen.

Pure, without tables or couriers: a rule's stored JSON is read and checked here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from django.db import models
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from couriers.contract import india
from couriers.contract.errors import FieldProblem
from couriers.contract.money import AMOUNT_LIMIT, to_paisa
from couriers.contract.text import character_problem
from couriers.contract.types import MAX_SERVICE, Direction, PaymentMode

MAX_PLACES = 1000  # pincodes and beginnings of pincodes of one rule
MAX_SKUS = 500
MAX_SERVICES = 50
MAX_COURIERS = 20
MAX_WEIGHT = 1_000_000  # grams, as of a parcel
MAX_SHARE = 1000  # the largest weight of a courier

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


class Strategy(models.TextChoices):
    """How one of a rule's couriers is chosen."""

    PRIORITY = "priority", "The first that can"
    CHEAPEST = "cheapest", "The cheapest"
    FASTEST = "fastest", "The fastest"
    WEIGHTS = "weights", "By weights"
    BEST = "best", "The best on the lane"


# These order couriers by their quotes; the others make no call for a price.
NEEDS_QUOTES = frozenset({Strategy.CHEAPEST, Strategy.FASTEST})
# These order couriers by what the rule says of each, so it must name them.
NAMES_COURIERS = frozenset({Strategy.PRIORITY, Strategy.WEIGHTS})


class InvalidRule(ValueError):
    """A rule is not valid. `problems` name each field, such as `conditions.min_weight_g`."""

    def __init__(self, problems: Iterable[FieldProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{one.field}: {one.message}" for one in self.problems))


def _place(text: str) -> str:
    if not (2 <= len(text) <= 6 and text.isascii() and text.isdigit() and text[0] != "0"):
        raise ValueError("is no pincode, and no beginning of one with two to five digits")
    return text


def _state(text: str) -> str:
    if problem := india.state_problem(text):
        raise ValueError(problem)
    return india.state_name(text) or text


def _line(text: str) -> str:
    if not text.strip() or text != text.strip():
        raise ValueError("is blank, or has a blank at an end")
    if problem := character_problem(text):
        raise ValueError(problem)
    return text


def _different(values: tuple[T, ...]) -> tuple[T, ...]:
    if len(set(values)) < len(values):
        raise ValueError("names one of them twice")
    return values


_Code = Annotated[str, Field(min_length=1, max_length=30), AfterValidator(_line)]
_Service = Annotated[str, Field(min_length=1, max_length=MAX_SERVICE), AfterValidator(_line)]
_Sku = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_line)]
_Place = Annotated[str, Field(max_length=6), AfterValidator(_place)]
_StateName = Annotated[str, Field(max_length=100), AfterValidator(_state)]
_Grams = Annotated[int, Field(ge=1, le=MAX_WEIGHT, strict=True)]
_Rupees = Annotated[
    Decimal,
    Field(ge=0, lt=AMOUNT_LIMIT, decimal_places=2, allow_inf_nan=False),
    AfterValidator(to_paisa),
]
_All = AfterValidator(_different)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """What rules ask about an order.

    `value` is its total in rupees with GST. `consignee_pincode` and `state` are the customer's,
    `warehouse_pincode` the seller's, in both directions. `state` "" is not known. `service` is what
    the order asks for, "" where it asks for none.
    """

    payment_mode: PaymentMode
    direction: Direction
    warehouse_pincode: str
    consignee_pincode: str
    weight_g: int
    value: Decimal
    state: str = ""
    skus: frozenset[str] = frozenset()
    service: str = ""


class Conditions(_Part):
    """The conditions of a rule, which must all hold. One that is left out holds for every order.

    Weights are grams and values rupees, each from `min_` to `max_`, both included. A pincode is the
    consignee's, whole or by its beginning. Of the SKUs one is enough.
    """

    payment_modes: Annotated[tuple[PaymentMode, ...], _All] = ()
    directions: Annotated[tuple[Direction, ...], _All] = ()
    zones: Annotated[tuple[india.Zone, ...], _All] = ()
    min_weight_g: _Grams | None = None
    max_weight_g: _Grams | None = None
    min_value: _Rupees | None = None
    max_value: _Rupees | None = None
    pincodes: Annotated[tuple[_Place, ...], Field(max_length=MAX_PLACES), _All] = ()
    states: Annotated[tuple[_StateName, ...], Field(max_length=40), _All] = ()
    skus: Annotated[tuple[_Sku, ...], Field(max_length=MAX_SKUS), _All] = ()
    services: Annotated[tuple[_Service, ...], Field(max_length=MAX_SERVICES), _All] = ()

    def hold(self, order: OrderFacts) -> bool:
        """Whether all conditions hold for the order."""
        return (
            _is_in(order.payment_mode, self.payment_modes)
            and _is_in(order.direction, self.directions)
            and _is_between(order.weight_g, self.min_weight_g, self.max_weight_g)
            and _is_between(order.value, self.min_value, self.max_value)
            and _is_in(order.service, self.services)
            and (not self.skus or not order.skus.isdisjoint(self.skus))
            and self._hold_of_place(order)
        )

    def _hold_of_place(self, order: OrderFacts) -> bool:
        if self.pincodes and not order.consignee_pincode.startswith(self.pincodes):
            return False
        if self.states:
            states = (order.state,) if order.state else india.states_of(order.consignee_pincode)
            if not set(states) & set(self.states):
                return False
        if not self.zones:
            return True
        return india.zone_of(order.warehouse_pincode, order.consignee_pincode) in self.zones

    def contradictions(self) -> list[FieldProblem]:
        """Return why no order can ever meet the conditions."""
        found = []
        if _are_apart(self.min_weight_g, self.max_weight_g):
            found.append(FieldProblem("min_weight_g", "is more than max_weight_g"))
        if _are_apart(self.min_value, self.max_value):
            found.append(FieldProblem("min_value", "is more than max_value"))
        if self.payment_modes == (PaymentMode.COD,) and self.directions == (Direction.REVERSE,):
            found.append(FieldProblem("payment_modes", "no return is paid on delivery"))
        if self.states and self.pincodes and not self._has_common_place():
            found.append(FieldProblem("pincodes", "none of them lies in one of the states"))
        return found

    def _has_common_place(self) -> bool:
        """Whether one of the pincodes may lie in one of the states.

        A beginning of fewer than three digits names no state, so it is believed.
        """
        wanted = set(self.states)
        return any(
            len(one) < 3 or not (states := india.states_of(one.ljust(6, "0"))) or wanted & {*states}
            for one in self.pincodes
        )

    def covers(self, other: Conditions) -> bool:
        """Whether these hold for every order for which the other ones hold."""
        lists = ("payment_modes", "directions", "zones", "states", "services", "skus")
        return (
            all(_has_all(getattr(self, name), getattr(other, name)) for name in lists)
            and _is_wider(
                self.min_weight_g, self.max_weight_g, other.min_weight_g, other.max_weight_g
            )
            and _is_wider(self.min_value, self.max_value, other.min_value, other.max_value)
            and (
                not self.pincodes
                or (
                    bool(other.pincodes)
                    and all(one.startswith(self.pincodes) for one in other.pincodes)
                )
            )
        )

    def as_json(self) -> dict[str, Any]:
        """Return the conditions as they are stored: without those that are left out."""
        return self.model_dump(mode="json", exclude_defaults=True)


class RuledCourier(_Part):
    """A courier of a rule. `service` "" leaves the service to the courier or the cheapest quote.

    `weight` is its share of the orders beside the others' weights, for the strategy by weights.
    """

    courier: _Code
    service: Annotated[str, Field(max_length=MAX_SERVICE)] = ""
    weight: Annotated[int, Field(ge=0, le=MAX_SHARE, strict=True)] = 1

    def as_json(self) -> dict[str, Any]:
        """Return the courier as it is stored."""
        return self.model_dump(mode="json")


@dataclass(frozen=True, slots=True)
class RuleTerms:
    """All that a rule says. Without `couriers` it is about every courier of the company."""

    conditions: Conditions = field(default_factory=Conditions)
    strategy: Strategy = Strategy.CHEAPEST
    couriers: tuple[RuledCourier, ...] = ()
    fail_over: bool = True
    book_after_doubt: bool = False
    id: str = ""
    name: str = ""


def read_conditions(data: Any) -> Conditions:
    """Read a rule's conditions. Raises InvalidRule, also where no order can meet them."""
    found = _read(Conditions, data, "conditions")
    if problems := found.contradictions():
        raise InvalidRule(FieldProblem(f"conditions.{p.field}", p.message) for p in problems)
    return found


def read_couriers(data: Any, strategy: str) -> tuple[RuledCourier, ...]:
    """Read a rule's couriers, in their order. Raises InvalidRule."""
    if not isinstance(data, list) or len(data) > MAX_COURIERS:
        raise _invalid("couriers", f"must be a list of at most {MAX_COURIERS}")
    found = tuple(_read(RuledCourier, each, f"couriers[{at}]") for at, each in enumerate(data))
    codes = [each.courier for each in found]
    if twice := sorted({code for code in codes if codes.count(code) > 1}):
        raise _invalid("couriers", f"names {', '.join(twice)} twice")
    if strategy in NAMES_COURIERS and not found:
        raise _invalid("couriers", "must name the couriers to choose among")
    if strategy == Strategy.WEIGHTS and not any(each.weight for each in found):
        raise _invalid("couriers", "one of them must have a weight above 0")
    return found


def _invalid(field: str, message: str) -> InvalidRule:
    return InvalidRule([FieldProblem(field, message)])


def _read(kind: type[M], data: Any, field: str) -> M:
    if not isinstance(data, Mapping):
        raise _invalid(field, "must be an object")
    try:
        return kind.model_validate(dict(data))
    except ValidationError as error:
        raise InvalidRule(
            FieldProblem(_path(field, found["loc"]), _words(found))
            for found in error.errors(include_url=False, include_input=False)
        ) from None


def _path(field: str, loc: tuple[int | str, ...]) -> str:
    return field + "".join(
        f"[{part}]" if isinstance(part, int) else f".{part[:100]}" for part in loc
    )


def _words(found: Any) -> str:
    """Return the words for an error of pydantic, or those of our own validators."""
    if found["type"] == "value_error":
        return str(found["ctx"]["error"])
    if found["type"] == "extra_forbidden":
        return "is not known"
    message = str(found["msg"])
    return message[:1].lower() + message[1:]


def _is_in(value: str, wanted: tuple[str, ...]) -> bool:
    return not wanted or value in wanted


def _is_between(value: Any, least: Any, most: Any) -> bool:
    return (least is None or value >= least) and (most is None or value <= most)


def _are_apart(least: Any, most: Any) -> bool:
    return least is not None and most is not None and least > most


def _has_all(wide: tuple[str, ...], narrow: tuple[str, ...]) -> bool:
    return not wide or (bool(narrow) and set(narrow) <= set(wide))


def _is_wider(least: Any, most: Any, other_least: Any, other_most: Any) -> bool:
    return (least is None or (other_least is not None and other_least >= least)) and (
        most is None or (other_most is not None and other_most <= most)
    )
