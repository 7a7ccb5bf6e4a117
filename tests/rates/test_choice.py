"""The rules' conditions, the order of the candidates, and the zones of lanes."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from couriers.contract.india import Zone, zone_of
from couriers.contract.types import Direction, PaymentMode
from couriers.models.rule_terms import (
    Conditions,
    InvalidRule,
    OrderFacts,
    RuleTerms,
    read_conditions,
    read_couriers,
)
from couriers.rates.choice import (
    DEFAULT_TERMS,
    Candidate,
    Choice,
    PassedOver,
    in_order,
    terms_for,
)

ORDER = OrderFacts(
    payment_mode=PaymentMode.COD,
    direction=Direction.FORWARD,
    warehouse_pincode="560001",
    consignee_pincode="411004",
    weight_g=500,
    value=Decimal("999.00"),
    state="Maharashtra",
    skus=frozenset({"KU-M", "KU-L"}),
    service="AIR",
)
CODES = ("a", "b", "c")


@pytest.mark.parametrize(
    ("conditions", "holds"),
    [
        ({}, True),
        ({"payment_modes": ["cod"]}, True),
        ({"payment_modes": ["prepaid"]}, False),
        ({"directions": ["reverse"]}, False),
        ({"min_weight_g": 500, "max_weight_g": 500}, True),
        ({"min_weight_g": 501}, False),
        ({"max_weight_g": 499}, False),
        ({"min_value": "999.00", "max_value": "999"}, True),
        ({"max_value": "998.99"}, False),
        ({"pincodes": ["56", "411"]}, True),
        ({"pincodes": ["411004"]}, True),
        ({"pincodes": ["411005", "56"]}, False),
        ({"states": ["maharashtra"]}, True),
        ({"states": ["Kerala"]}, False),
        ({"zones": ["national"]}, True),
        ({"zones": ["metro", "local"]}, False),
        ({"skus": ["KU-L", "MUG"]}, True),
        ({"skus": ["MUG"]}, False),
        ({"services": ["AIR"]}, True),
        ({"services": ["ROAD"]}, False),
        ({"payment_modes": ["cod"], "max_weight_g": 10}, False),
    ],
)
def test_a_rule_holds_where_all_its_conditions_do(conditions: Any, holds: bool) -> None:
    assert read_conditions(conditions).hold(ORDER) is holds


def test_the_state_of_an_order_without_one_is_that_of_its_pincode() -> None:
    order = dataclasses.replace(ORDER, state="")
    assert read_conditions({"states": ["Maharashtra"]}).hold(order)
    assert not read_conditions({"states": ["Goa"]}).hold(order)


def test_the_first_rule_that_holds_is_taken_else_the_default() -> None:
    light = RuleTerms(read_conditions({"max_weight_g": 499}), name="light")
    cod = RuleTerms(read_conditions({"payment_modes": ["cod"]}), name="cod")
    everything = RuleTerms(name="all")
    assert terms_for([light, cod, everything], ORDER).name == "cod"
    assert terms_for([light], ORDER) is DEFAULT_TERMS


small = st.one_of(st.none(), st.integers(1, 6))
some_conditions = st.builds(
    Conditions,
    payment_modes=st.sampled_from([(), ("cod",), ("prepaid",), ("cod", "prepaid")]),
    min_weight_g=small,
    max_weight_g=small,
    pincodes=st.sampled_from([(), ("41",), ("411",), ("411004",), ("56", "41")]),
    skus=st.sampled_from([(), ("x",), ("x", "y")]),
)
some_orders = st.builds(
    dataclasses.replace,
    st.just(ORDER),
    payment_mode=st.sampled_from(PaymentMode),
    weight_g=st.integers(1, 6),
    consignee_pincode=st.sampled_from(["411004", "411005", "412000", "560001", "110001"]),
    skus=st.sampled_from([frozenset(), frozenset("x"), frozenset("y"), frozenset("xy")]),
)


@given(some_conditions, some_conditions, some_orders)
def test_conditions_that_cover_others_hold_wherever_those_do(
    wide: Conditions, narrow: Conditions, order: OrderFacts
) -> None:
    if wide.covers(narrow) and narrow.hold(order):
        assert wide.hold(order)


@given(some_conditions)
def test_conditions_cover_themselves_and_survive_being_stored(one: Conditions) -> None:
    assert one.covers(one)
    assert Conditions.model_validate(one.as_json()) == one
    assert Conditions().covers(one)


@given(st.text(min_size=1), st.lists(st.integers(1, 9), min_size=3, max_size=3))
def test_the_order_by_weights_stays_where_a_courier_falls_away(
    seed: str, weights: list[int]
) -> None:
    every = [Candidate(code, weight=w) for code, w in zip(CODES, weights, strict=True)]
    ranked = in_order(every, "weights", seed=seed)
    assert in_order(list(reversed(every)), "weights", seed=seed) == ranked
    for gone in every:
        left = [one for one in every if one != gone]
        assert in_order(left, "weights", seed=seed) == tuple(o for o in ranked if o != gone)


def test_the_shares_of_orders_are_the_weights() -> None:
    every = [Candidate("a", weight=6), Candidate("b", weight=3), Candidate("c", weight=0)]
    firsts = [in_order(every, "weights", seed=f"order {n}")[0].courier for n in range(3000)]
    assert 1900 < firsts.count("a") < 2100
    assert firsts.count("c") == 0
    assert in_order(every, "weights", seed="x")[-1].courier == "c"


def test_the_best_come_first_and_those_without_figures_last_by_price() -> None:
    every = [
        Candidate("a", price=Decimal(5)),
        Candidate("b", price=Decimal(4)),
        Candidate("c"),
        Candidate("d"),
    ]
    ranked = in_order(every, "best", seed="", best=["d", "gone", "a"])
    assert [one.courier for one in ranked] == ["d", "a", "b", "c"]


def test_a_stored_choice_is_read_as_it_was() -> None:
    choice = Choice(
        (Candidate("a", "AIR", Decimal("5.00"), 2), Candidate("b")),
        (PassedOver("c", "busy", "slowly"),), "rul_1", "Rule", "fastest", False, True,
    )  # fmt: skip
    assert Choice.from_json(choice.as_json()).as_json() == choice.as_json()


@pytest.mark.parametrize(
    ("one", "other", "zone"),
    [
        ("560001", "560103", Zone.LOCAL),
        ("560001", "580020", Zone.REGIONAL),
        ("560001", "110001", Zone.METRO),
        ("560001", "411004", Zone.NATIONAL),
        ("560001", "781001", Zone.SPECIAL),
        ("744101", "110001", Zone.SPECIAL),
        ("781001", "788001", Zone.REGIONAL),
    ],
)
def test_a_lane_has_a_zone_in_both_directions(one: str, other: str, zone: Zone) -> None:
    assert zone_of(one, other) == zone_of(other, one) == zone


@pytest.mark.parametrize("data", [[], "x", None, {"min_weight_g": True}, {"max_value": "NaN"}])
def test_conditions_that_cannot_be_read_are_refused(data: Any) -> None:
    with pytest.raises(InvalidRule):
        read_conditions(data)


@pytest.mark.parametrize("data", [{}, [1], [{"courier": ""}], [{"courier": "a", "weight": -1}]])
def test_couriers_that_cannot_be_read_are_refused(data: Any) -> None:
    with pytest.raises(InvalidRule):
        read_couriers(data, "priority")
