"""Collects the problems of a request, each with its field. Pure."""

from __future__ import annotations

from couriers.contract.errors import FieldProblem
from couriers.contract.text import has_control_characters


class FieldProblems(list[FieldProblem]):
    """The problems found so far. InvalidRequest takes them all at once."""

    def require(self, condition: bool, field: str, message: str) -> None:
        """Add a problem of the field unless the condition holds."""
        if not condition:
            self.append(FieldProblem(field, message))

    def refuse(self, field: str, problem: str | None) -> None:
        """Add `problem`, unless it is None."""
        if problem is not None:
            self.append(FieldProblem(field, problem))

    def clean_text(self, field: str, text: str, max_length: int, *, required: bool = True) -> str:
        """Return the text without surrounding white space.

        Adds a problem for a missing text, one of more than `max_length` characters, and one with
        control characters.
        """
        text = text.strip()
        if required and not text:
            self.append(FieldProblem(field, "is missing"))
        elif len(text) > max_length:
            self.append(FieldProblem(field, f"is longer than {max_length} characters"))
        elif has_control_characters(text):
            self.append(FieldProblem(field, "contains control characters"))
        return text
