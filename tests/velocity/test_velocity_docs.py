"""docs/velocity.md agrees with the code: every method, limit and option."""

from __future__ import annotations

import re
from pathlib import Path

from couriers.contract.adapter import Capability
from couriers_velocity.adapter import VelocityAdapter
from couriers_velocity.client import OPERATIONS
from couriers_velocity.mapper.options import QualityCheck, VelocityOptions
from tests.support.plug_ins import lines_of

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "velocity.md").read_text()
METHODS, AFTER = PAGE.split("## The contract's methods")[1].split("## Options of a booking")
OPTIONS = AFTER.split("## A booking")[0]


def rows(text: str) -> dict[str, list[str]]:
    """Return the rows of the tables by their first cell, a name in backticks."""
    found = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("| `")
    ]
    names = [cells[0].strip("`") for cells in found]
    assert len(names) == len(set(names))
    return dict(zip(names, found, strict=True))


def test_every_method_of_the_contract_has_a_row() -> None:
    table = rows(METHODS)
    assert set(table) == {capability.value for capability in Capability}
    for name, (_, call, limit, raises) in table.items():
        assert raises
        if Capability(name) not in VelocityAdapter.capabilities:
            assert (call, limit, "NotSupported" in raises) == ("none", "none", True)
        else:
            assert call != "none"


def test_every_limit_is_the_limit_in_the_code() -> None:
    written: dict[str, tuple[int, float]] = {}
    for _, call, limit, _ in rows(METHODS).values():
        operations = re.findall(r"\(`(\w+)`\)", call)
        limits = re.findall(r"(\d+) in (\d+) s", limit)
        assert len(limits) == len(operations), call
        for operation, (count, window) in zip(operations, limits, strict=True):
            written[operation] = (int(count), float(window))
    (login,) = re.findall(r"`get_token`, (\d+) in (\d+) s", METHODS)
    written["get_token"] = (int(login[0]), float(login[1]))
    assert written == {
        name: (one.limit.count, one.limit.window) for name, one in OPERATIONS.items()
    }


def test_every_option_has_a_row() -> None:
    table = rows(OPTIONS)
    assert set(table) == set(VelocityOptions.model_fields)
    assert all(f"`{name}`" in table["quality_check"][1] for name in QualityCheck.model_fields)


def test_the_plug_in_has_less_than_a_thousand_lines() -> None:
    assert lines_of("couriers_velocity") < 1000
