"""How the ends of life cycles are drawn."""

from __future__ import annotations

from collections import Counter

import pytest

from sandbox.lifecycle import Outcomes

ORDERS = [f"A-{number}" for number in range(2000)]


def test_the_same_seed_draws_the_same_outcomes() -> None:
    outcomes = Outcomes(delivered=1, undelivered=1, rto=1)
    first, again, other = ([outcomes.draw(order, seed) for order in ORDERS] for seed in (1, 1, 2))
    assert first == again != other


def test_outcomes_are_drawn_in_their_proportions() -> None:
    drawn = Counter(Outcomes(delivered=6, undelivered=1, rto=3).draw(o, 0) for o in ORDERS)
    shares = {name: count / len(ORDERS) for name, count in drawn.items()}
    assert shares == pytest.approx({"delivered": 0.6, "undelivered": 0.1, "rto": 0.3}, abs=0.05)


def test_an_outcome_of_zero_is_never_drawn() -> None:
    outcomes = Outcomes(delivered=0, undelivered=1, rto=0)
    assert {outcomes.draw(order, 0) for order in ORDERS} == {"undelivered"}


def test_further_outcomes_are_drawn_where_they_have_a_share() -> None:
    outcomes = Outcomes(0, 0, 0, recovered=1, lost=1, not_picked=1)
    assert {outcomes.draw(order, 0) for order in ORDERS} == {"recovered", "lost", "not_picked"}
