"""Fields of the API's bodies, with formats that a host's REST_FRAMEWORK does not change."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from couriers.contract import india


def text(max_length: int, **options: Any) -> serializers.CharField:
    """A field of at most `max_length` characters, trimmed. `options` are those of CharField."""
    return serializers.CharField(max_length=max_length, trim_whitespace=True, **options)


def optional_text(max_length: int) -> serializers.CharField:
    """A field like `text` that may be left out or blank. Its value is then ""."""
    return text(max_length, required=False, allow_blank=True, default="")


def decimal(max_digits: int = 12, **options: Any) -> serializers.DecimalField:
    """A number with two decimals, sent as a string. `options` are those of DecimalField."""
    return serializers.DecimalField(
        max_digits=max_digits, decimal_places=2, coerce_to_string=True, **options
    )


def rupees(**options: Any) -> serializers.DecimalField:
    """A field for an amount in rupees, below 10^9. `options` are those of DecimalField."""
    return decimal(11, min_value=Decimal(0), **options)


def day(**options: Any) -> serializers.DateField:
    """A day in India, as in 2026-11-25. `options` are those of DateField."""
    return serializers.DateField(format="iso-8601", input_formats=["iso-8601"], **options)


def moment(**options: Any) -> serializers.DateTimeField:
    """A time in a response; the renderer writes it in UTC. `options` are those of DateTimeField."""
    return serializers.DateTimeField(format=None, **options)


def pincode() -> serializers.CharField:
    """A field for a pincode in any usual notation, which `checked_pincode` reads."""
    return text(20)


def checked_pincode(value: str) -> str:
    """Return the pincode without blanks and marks, or raise ValidationError for another text."""
    value = india.clean_pincode(value)
    if problem := india.pincode_problem(value):
        raise serializers.ValidationError(problem)
    return value
