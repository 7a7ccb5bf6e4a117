"""The tunables: what is given, what is wrong with it, and what is used."""

from __future__ import annotations

from typing import Any

import pytest

from couriers.conf import Tunables, build_tunables, tunable_problems, tunables


@pytest.mark.parametrize(
    "given", [{}, {"PAGE_SIZE": 1}, {"PAGE_SIZE": 200}, {"QUOTE_CACHE": 5}, {"QUOTE_CACHE": 0.5}]
)
def test_values_within_their_bounds_have_no_problem(given: Any) -> None:
    assert tunable_problems(Tunables, given) == []
    assert build_tunables(Tunables, given) == Tunables(**given)


@pytest.mark.parametrize(
    ("given", "key", "words"),
    [
        ([], "", "must be a dict, not list"),
        (None, "", "must be a dict, not NoneType"),
        ({"PAGE": 5}, "PAGE", "is not a setting (known: ACTION_LEASE"),
        ({5: 5}, "5", "is not a setting"),
        ({"PAGE_SIZE": 0}, "PAGE_SIZE", "must be 1 to 200, not 0"),
        ({"PAGE_SIZE": 201}, "PAGE_SIZE", "must be 1 to 200, not 201"),
        ({"PAGE_SIZE": 5.0}, "PAGE_SIZE", "must be like 50, not 5.0"),
        ({"PAGE_SIZE": True}, "PAGE_SIZE", "must be like 50, not True"),
        ({"PAGE_SIZE": "5"}, "PAGE_SIZE", "must be like 50, not '5'"),
        ({"QUOTE_CACHE": -1}, "QUOTE_CACHE", "must be 0 to 1000000000, not -1"),
        ({"QUOTE_CACHE": float("nan")}, "QUOTE_CACHE", "must be 0 to 1000000000, not nan"),
        ({"PRICING": 5}, "PRICING", "must be like 'couriers"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_and_its_default_is_used(
    given: Any, key: str, words: str
) -> None:
    (problem,) = tunable_problems(Tunables, given)
    assert problem.key == key
    assert problem.message.startswith(words)
    assert build_tunables(Tunables, given) == Tunables()


def test_a_value_that_cannot_be_used_leaves_the_others_in_force() -> None:
    assert build_tunables(Tunables, {"PAGE_SIZE": 0, "QUOTE_CACHE": 1.0}) == Tunables(
        QUOTE_CACHE=1.0
    )


def test_the_tunables_follow_the_settings(settings: Any) -> None:
    assert tunables().PAGE_SIZE == 50
    settings.SHIPCROWD = {"PAGE_SIZE": 7}
    assert tunables().PAGE_SIZE == 7
