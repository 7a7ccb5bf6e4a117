"""The JSON type of each field of a body. The framework would turn one type into another.

It reads the number 1e2 as the text "100.0", the text "yes" as true, and 1_000 as an amount. Here a
value of another type than the schema describes is refused.
"""

from __future__ import annotations

import re
from typing import Any

from rest_framework import serializers

_AMOUNT = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def type_problem(field: serializers.Field[Any, Any, Any, Any], value: Any) -> str:
    """Say why the value has not the JSON type of the field, or return "".

    None is left to the field. So are the contents of lists and objects, which have fields too.
    """
    if value is None:
        return ""
    for field_class, has_type, message in _TYPES:
        if isinstance(field, field_class):
            return "" if has_type(value) else message
    return ""


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return _is_number(value) and value % 1 == 0


def _is_amount(value: Any) -> bool:
    return _is_number(value) or (isinstance(value, str) and bool(_AMOUNT.fullmatch(value)))


def _is_day(value: Any) -> bool:
    return isinstance(value, str) and bool(_DAY.fullmatch(value))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_truth(value: Any) -> bool:
    return isinstance(value, bool)


_TYPES: tuple[tuple[Any, Any, str], ...] = (
    (serializers.BooleanField, _is_truth, "must be true or false"),
    (serializers.DecimalField, _is_amount, 'must be a decimal number, as in "1523.00"'),
    (serializers.IntegerField, _is_whole, "must be a whole number"),
    (serializers.DateField, _is_day, 'must be a day, as in "2026-11-25"'),
    ((serializers.CharField, serializers.ChoiceField), _is_text, "must be a text, in quotes"),
)
