"""Form fields of the admin."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput


class StorableJSONField(forms.JSONField):
    """A field for JSON that PostgreSQL can store, which is less than Python's parser accepts."""

    def to_python(self, value: Any) -> Any:
        """Parse the value.

        Raises ValidationError for text that is not JSON, and for Infinity, NaN, NUL, half of a
        surrogate pair, and nesting or numbers that Python cannot parse.
        """
        try:
            parsed = super().to_python(value)
            text = json.dumps(parsed, allow_nan=False, ensure_ascii=False)
            text.encode()
        except (ValueError, RecursionError):
            raise ValidationError(self.error_messages["invalid"], "invalid") from None
        if r"\u0000" in text.replace(r"\\", ""):
            raise ValidationError(self.error_messages["invalid"], "invalid")
        return parsed

    def bound_data(self, data: Any, initial: Any) -> Any:
        try:
            self.to_python(data)
        except ValidationError:
            return InvalidJSONInput(data)
        return super().bound_data(data, initial)
