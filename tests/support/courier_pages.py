"""A courier's page in docs/, compared with its plug-in: every method, limit and option."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel

from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.http.operations import Operation

DOCS = Path(__file__).resolve().parents[2] / "docs"
_LIMIT = r"(\d+) in (\d+) s"
_NAMED_LIMIT = re.compile(rf"`(\w+)`, {_LIMIT}")


class CourierPage:
    """The page of one courier. `methods` and `options` are its sections of these."""

    def __init__(self, courier: str) -> None:
        self._text = (DOCS / f"{courier}.md").read_text()
        self.methods = self._section("The contract's methods")
        self.options = self._section("Options of a booking")

    def _section(self, title: str) -> str:
        return self._text.split(f"\n## {title}\n")[1].split("\n## ")[0]

    def check_methods(self, adapter: type[BaseCourierAdapter]) -> None:
        """Assert that each method of the contract has one row, and one it lacks says so."""
        table = rows(self.methods)
        names = [cells[0].strip("`") for cells in table]
        assert sorted(names) == sorted(capability.value for capability in Capability)
        for name, (_, call, limit, raises) in zip(names, table, strict=True):
            assert raises, name
            if Capability(name) in adapter.capabilities:
                assert call != "none", name
            else:
                assert (call, limit, "NotSupported" in raises) == ("none", "none", True), name

    def check_limits(self, operations: Mapping[str, Operation]) -> None:
        """Assert that the rows, and the words after them, name each limit as the code has it."""
        written = {}
        for _, call, limit, _ in rows(self.methods):
            named = re.findall(r"\(`(\w+)`\)", call)
            limits = re.findall(_LIMIT, limit)
            assert len(limits) == len(named), call
            written |= dict(zip(named, limits, strict=True))
        prose = " ".join(line for line in self.methods.splitlines() if not line.startswith("|"))
        written |= {name: (count, window) for name, count, window in _NAMED_LIMIT.findall(prose)}
        assert {name: (int(n), float(s)) for name, (n, s) in written.items()} == {
            name: (one.limit.count, one.limit.window) for name, one in operations.items()
        }

    def check_options(self, model: type[BaseModel], *of_the_check: type[BaseModel]) -> None:
        """Assert that each option has a row; that of `quality_check` names the fields of these."""
        table = {cells[0]: cells[1] for cells in rows(self.options)}
        assert set(re.findall(r"`(\w+)`", " ".join(table))) == set(model.model_fields)
        words = table["`quality_check`"]
        for name in (name for part in of_the_check for name in part.model_fields):
            assert f"`{name}`" in words, name


def rows(text: str) -> list[list[str]]:
    """Return the cells of the rows of a section's tables whose first cell is in backticks."""
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("| `")
    ]
