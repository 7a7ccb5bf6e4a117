"""Collects the problems and warnings of a request, each with its field. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from couriers.contract.errors import FieldProblem
from couriers.contract.india.remarks import Remark
from couriers.contract.text import character_problem, clean_line
from couriers.contract.types import FieldWarning


class FieldProblems(list[FieldProblem]):
    """The problems found so far. InvalidRequest takes them all at once.

    `warnings` are what is likely, but not surely, wrong: they do not prevent the booking.
    """

    def __init__(self, problems: Iterable[FieldProblem] = ()) -> None:
        super().__init__(problems)
        self.warnings: list[FieldWarning] = []

    def require(self, condition: bool, field: str, message: str) -> None:
        """Add a problem of the field unless the condition holds."""
        if not condition:
            self.append(FieldProblem(field, message))

    def refuse(self, field: str, problem: str | None) -> None:
        """Add `problem`, unless it is None."""
        if problem is not None:
            self.append(FieldProblem(field, problem))

    def warn(self, field: str, remark: Remark | None) -> None:
        """Add a warning, unless `remark` is None."""
        if remark is not None:
            self.warnings.append(FieldWarning(field, remark.code, remark.message))

    def clean_text(self, field: str, text: str, max_length: int, *, required: bool = True) -> str:
        """Return the text as one line, as `couriers.contract.text.clean_line` does.

        Adds a problem for a missing text, one of more than `max_length` characters, and one with
        characters that hide or reorder others.
        """
        text = clean_line(text)
        if required and not text:
            self.append(FieldProblem(field, "is missing"))
        elif len(text) > max_length:
            self.append(FieldProblem(field, f"is longer than {max_length} characters"))
        else:
            self.refuse(field, character_problem(text))
        return text
