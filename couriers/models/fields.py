"""Fields for encrypted JSON and bytes, and the length of the columns for an error's text."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

from cryptography.fernet import Fernet, MultiFernet
from django.db import models
from fernet_fields import EncryptedField, EncryptedTextField

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


@dataclass(frozen=True, slots=True, repr=False)
class SealedBytes:
    """Encrypted bytes as they are stored. They are decrypted when `open` is called.

    So rows can be read together although one of them cannot be decrypted.
    """

    token: bytes
    cipher: Fernet | MultiFernet

    def open(self) -> bytes:
        """Return the decrypted bytes. Raises InvalidToken where FERNET_KEYS lack their key."""
        return self.cipher.decrypt(self.token)


class EncryptedBytesField(EncryptedField, models.BinaryField):
    """Bytes, stored encrypted. A row that is read has SealedBytes, or None."""

    def from_db_value(self, value: Any, *args: Any) -> SealedBytes | None:
        return None if value is None else SealedBytes(bytes(value), self.fernet)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if value is None:
            return None
        token = value.token if isinstance(value, SealedBytes) else self.encrypt(bytes(value))
        return connection.Database.Binary(token)

    def value_to_string(self, obj: models.Model) -> str:
        """Return the decrypted bytes in base64, for `dumpdata`. Raises InvalidToken."""
        value: Any = self.value_from_object(obj)
        return base64.b64encode(value.open() if isinstance(value, SealedBytes) else value).decode()

    def encrypt(self, value: bytes) -> bytes:
        """Return the bytes encrypted with the first of FERNET_KEYS, as they are stored."""
        token: bytes = self.fernet.encrypt(value)
        return token
