"""The metadata of a shipment in requests: when it is booked, and when it is changed."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from couriers.booking.metadata import MAX_KEY, MAX_KEYS, MAX_VALUE
from couriers.contract.text import is_storable

_NO_TEXT = "must be a text, in quotes"


def _described(value: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "maxProperties": MAX_KEYS,
        "propertyNames": {"minLength": 1, "maxLength": MAX_KEY, "pattern": r"^[^\[\]]*$"},
        "additionalProperties": value,
    }


@extend_schema_field(_described({"type": "string", "maxLength": MAX_VALUE}))
class MetadataField(serializers.Field[Any, Any, Any, Any]):
    """Texts by name, as a JSON object. Their lengths are checked where they are stored."""

    default_error_messages = {"invalid": "must be an object"}
    takes_null = False

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("invalid")
        if len(data) > MAX_KEYS:
            raise serializers.ValidationError(f"has more than {MAX_KEYS} keys")
        wrong = {
            key[:MAX_KEY]: [problem]
            for key, value in data.items()
            if (problem := self._problem(value))
        }
        if wrong:
            raise serializers.ValidationError(wrong)
        return data

    def to_representation(self, value: Any) -> Any:
        return value

    def _problem(self, value: Any) -> str | None:
        if value is None and self.takes_null:
            return None
        if not isinstance(value, str):
            return _NO_TEXT
        return None if is_storable(value) else "cannot be stored"


@extend_schema_field(_described({"type": ["string", "null"], "maxLength": MAX_VALUE}))
class MetadataChangeField(MetadataField):
    """Changes of the metadata: a text sets the value of its name, null removes the name."""

    takes_null = True
