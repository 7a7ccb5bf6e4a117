"""The oddities of a courier that are switched by flag and while its stand-in runs."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import pytest

from sandbox.switches import Switches, switch


@dataclass
class Oddities(Switches):
    lag: float = switch(0.5, "seconds until a parcel is found", most=60)
    forgets: bool = switch(False, "whether parcels vanish")
    answer: str = switch("none", "what is said", choices=("none", "error"))


def parsed(*flags: str) -> dict[str, object]:
    parser = argparse.ArgumentParser(exit_on_error=False)
    Oddities.add_flag(parser)
    return Oddities.of(dict(parser.parse_args(flags).switched)).as_json()


def test_a_flag_changes_only_what_it_names() -> None:
    assert parsed() == {"lag": 0.5, "forgets": False, "answer": "none"}
    flags = ("--switch", "lag=2", "--switch", "forgets=true", "--switch", "answer=error")
    assert parsed(*flags) == {"lag": 2, "forgets": True, "answer": "error"}


@pytest.mark.parametrize(
    ("values", "about"),
    [
        ({"colour": "red"}, "lag, forgets, answer"),
        ({"lag": 61}, "from 0 to 60"),
        ({"lag": float("nan")}, "from 0 to 60"),
        ({"lag": True}, "a number"),
        ({"forgets": 1}, "true or false"),
        ({"answer": "later"}, "none, error"),
    ],
)
def test_a_wrong_value_is_refused_and_changes_nothing(
    values: dict[str, object], about: str
) -> None:
    oddities = Oddities()
    with pytest.raises(ValueError, match=about):
        oddities.change({"forgets": True} | values)
    assert oddities == Oddities()


def test_a_wrong_flag_is_refused() -> None:
    with pytest.raises(argparse.ArgumentError, match="forgets is true or false"):
        parsed("--switch", "forgets=maybe")
