"""Request bodies: JSON in UTF-8, with only such values as can be stored and sent back."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.parsers import JSONParser

from couriers.contract.json_limits import json_problem


class BoundedJSONParser(JSONParser):
    """Parses JSON and raises ParseError for values that cannot be stored.

    These are NUL, half of a surrogate pair, a number beyond floating point, and nesting that is
    too deep (couriers.contract.json_limits). A field that an object has twice is a ValidationError.
    """

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        # JSON is UTF-8 (RFC 8259). In another charset half of a surrogate pair could be written.
        try:
            text = stream.read().decode("utf-8")
            data = DECODER.decode(text)
        except (ValueError, RecursionError) as error:
            raise parse_error(error) from None
        refuse_unstorable(data)
        return data


def parse_error(error: Exception) -> ParseError:
    """Return the problem of a body for an error that decoding it raised."""
    match error:
        case RecursionError():
            return ParseError("The body is nested too deeply.")
        case UnicodeDecodeError():
            return ParseError(f"The body is not UTF-8 (byte {error.start}).")
        case json.JSONDecodeError():
            return not_json(error.lineno, error.colno)
        case _:  # a whole number of more digits than Python reads
            return ParseError("The body contains a number that is too large.")


def not_json(line: int, column: int) -> ParseError:
    """Return the problem of a body that is not JSON at this place, counted from 1."""
    return ParseError(f"The body is not JSON (line {line}, column {column}).")


def refuse_unstorable(data: Any) -> None:
    """Raise ParseError for parsed JSON that cannot be stored or sent back."""
    if problem := json_problem(data):
        raise ParseError(f"The body {problem}.")


def _refuse(constant: str) -> Any:
    raise ParseError(f"The body is not JSON: it contains {constant}.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of the pairs. Raises ValidationError where a field stands twice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = sorted({name[:100] for name, count in counts.items() if count > 1})[:20]
        if json_problem(twice):
            raise ParseError("The body contains NUL or half of a surrogate pair.")
        raise ValidationError({name: ["stands twice in its object"] for name in twice})
    return found


DECODER = json.JSONDecoder(parse_constant=_refuse, object_pairs_hook=_object)
