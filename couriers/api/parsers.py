"""Bodies of requests: JSON in UTF-8, and only what can be stored and sent back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from couriers.contract.json_limits import json_problem


class BoundedJSONParser(JSONParser):
    """Raises ParseError for what no field could hold: NUL, half a surrogate pair, 1e999, depth."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        # JSON is UTF-8 whatever charset is named (RFC 8259): others can spell half a pair.
        context = {**(parser_context or {}), "encoding": "utf-8"}
        try:
            data = super().parse(stream, media_type, context)
        except RecursionError:
            raise ParseError("The body is nested too deeply.") from None
        if complaint := json_problem(data):
            raise ParseError(f"The body {complaint}.")
        return data
