"""Request bodies: JSON in UTF-8, with only such values as can be stored and sent back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from couriers.contract.json_limits import json_problem


class BoundedJSONParser(JSONParser):
    """Parses JSON and raises ParseError for values that cannot be stored.

    These are NUL, half of a surrogate pair, a number beyond floating point, and nesting that is
    too deep (couriers.contract.json_limits).
    """

    strict = True

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        # JSON is UTF-8 (RFC 8259). In another charset half of a surrogate pair could be written.
        context = {**(parser_context or {}), "encoding": "utf-8"}
        try:
            data = super().parse(stream, media_type, context)
        except RecursionError:
            raise ParseError("The body is nested too deeply.") from None
        if problem := json_problem(data):
            raise ParseError(f"The body {problem}.")
        return data
