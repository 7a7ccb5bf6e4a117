"""docs/delhivery.md agrees with the code: every method, limit and option."""

from __future__ import annotations

import re
from pathlib import Path

from couriers.contract.adapter import Capability
from couriers_delhivery.adapter import DelhiveryAdapter
from couriers_delhivery.client import OPERATIONS
from couriers_delhivery.mapper.options import DelhiveryOptions, QualityCheck, Question
from tests.support.plug_ins import lines_of

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "delhivery.md").read_text()
METHODS, AFTER = PAGE.split("## The contract's methods")[1].split("## Answers that leave it open")
OPTIONS = AFTER.split("## Options of a booking")[1].split("## The login")[0]


def rows(text: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("| `")
    ]


def test_every_method_of_the_contract_has_a_row() -> None:
    table = {cells[0].strip("`"): cells for cells in rows(METHODS)}
    assert set(table) == {capability.value for capability in Capability}
    for name, (_, call, limit, raises) in table.items():
        if Capability(name) not in DelhiveryAdapter.capabilities:
            assert (call, limit, "NotSupported" in raises) == ("none", "none", True)


def test_every_limit_is_the_limit_in_the_code() -> None:
    written: dict[str, tuple[int, float]] = {}
    for _, call, limit, _ in rows(METHODS):
        operations = re.findall(r"\(`(\w+)`\)", call)
        limits = re.findall(r"(\d+) in (\d+) s", limit)
        assert len(limits) == len(operations), call
        for operation, (count, window) in zip(operations, limits, strict=True):
            written[operation] = (int(count), float(window))
    for operation, count, window in re.findall(r"`(ewaybill)`, (\d+) in (\d+) s", METHODS):
        written[operation] = (int(count), float(window))
    assert written == {
        name: (one.limit.count, one.limit.window) for name, one in OPERATIONS.items()
    }


def test_every_option_has_a_row() -> None:
    table = {cells[0]: cells[1] for cells in rows(OPTIONS)}
    assert set(re.findall(r"`(\w+)`", " ".join(table))) == set(DelhiveryOptions.model_fields)
    check = table["`quality_check`"]
    for name in (*QualityCheck.model_fields, *Question.model_fields):
        assert f"`{name}`" in check


def test_the_plug_in_has_less_than_a_thousand_lines() -> None:
    assert lines_of("couriers_delhivery") < 1000
