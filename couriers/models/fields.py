"""A field for encrypted JSON, and the length of the columns for an error's text."""

from __future__ import annotations

import json
from typing import Any

from fernet_fields import EncryptedTextField

# Characters of an error that are stored: with a call, a shipment, an order or a chunk.
MAX_ERROR_TEXT = 1000


class EncryptedJSONField(EncryptedTextField):
    """A JSON value, stored as one encrypted text. Queries cannot search it."""

    def to_python(self, value: Any) -> Any:
        return value

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else json.dumps(value)

    def from_db_value(self, value: Any, *args: Any) -> Any:
        text = super().from_db_value(value, *args)
        return None if text is None else json.loads(text)
