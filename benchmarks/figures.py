"""Figures of a run, and the budgets that they are held against."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `met` is None for a figure without a budget.

    `speed` is the name and the value of a speed of figures.json that was measured.
    """

    what: str
    figure: str
    budget: str = ""
    met: bool | None = None
    speed: tuple[str, float] | None = None

    @property
    def verdict(self) -> str:
        """Whether the budget was met, in words."""
        return {True: "met", False: "NOT MET", None: ""}[self.met]


def at_most(what: str, value: float, budget: float, unit: str = "", digits: int = 2) -> Figure:
    """Return the figure of a value that must not exceed its budget."""
    return _held(what, value, budget, "≤", unit, digits, value <= budget)


def at_least(what: str, value: float, budget: float, unit: str = "", digits: int = 2) -> Figure:
    """Return the figure of a value that must reach its budget."""
    return _held(what, value, budget, "≥", unit, digits, value >= budget)


def _held(
    what: str, value: float, budget: float, sign: str, unit: str, digits: int, met: bool
) -> Figure:
    space = f" {unit}" if unit else ""
    return Figure(what, f"{value:,.{digits}f}{space}", f"{sign} {budget:,g}{space}", met)
