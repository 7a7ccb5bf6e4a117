"""What the admin's forms share."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput


class StorableJSONField(forms.JSONField):
    """JSON as PostgreSQL keeps it; what Python alone would take is an error of the field."""

    def to_python(self, value: Any) -> Any:
        """Raises ValidationError for what is no JSON, and for Infinity and NaN, NUL, halves of a
        character, and nesting or numbers beyond reading.
        """
        try:
            found = super().to_python(value)
            text = json.dumps(found, allow_nan=False, ensure_ascii=False)
            text.encode()
        except (ValueError, RecursionError):
            raise ValidationError(self.error_messages["invalid"], "invalid") from None
        if r"\u0000" in text.replace(r"\\", ""):
            raise ValidationError(self.error_messages["invalid"], "invalid")
        return found

    def bound_data(self, data: Any, initial: Any) -> Any:
        try:
            self.to_python(data)
        except ValidationError:
            return InvalidJSONInput(data)
        return super().bound_data(data, initial)
