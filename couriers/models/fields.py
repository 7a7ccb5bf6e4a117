"""Encrypted texts, JSON and bytes, whose unreadable values stop nobody who does not need them.

A value that no key of FERNET_KEYS opens is loaded with its row, raises UnreadableValue where it is
read, and is saved unchanged. So lists, batches and purges go on, and the value is readable again
once its key is back in FERNET_KEYS.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.db import models
from django.db.models import Model
from django.db.models.query_utils import DeferredAttribute
from fernet_fields import EncryptedCharField as LibraryCharField
from fernet_fields import EncryptedField
from fernet_fields import EncryptedTextField as LibraryTextField

from couriers.contract.platform_errors import UnreadableValue

# Characters of an error that are stored: with a call, a shipment, an order or a chunk.
MAX_ERROR_TEXT = 1000
# Shown to people in the place of a value that cannot be read.
UNREADABLE_TEXT = "cannot be read: encrypted with a key that FERNET_KEYS do not have"


class Undecrypted:
    """A stored value that no key opens. Its repr does not show it."""

    __slots__ = ("token",)

    def __init__(self, token: bytes) -> None:
        self.token = token


class EncryptedAttribute(DeferredAttribute):
    """The attribute of an encrypted field. Reading a value that no key opens raises."""

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        if isinstance(value, Undecrypted):
            raise UnreadableValue(instance._meta.model_name, self.field.name, instance.pk)
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class KeepsUnreadable(EncryptedField):
    """Base of the encrypted fields here: what no key opens is loaded and saved as it is stored."""

    descriptor_class = EncryptedAttribute

    if TYPE_CHECKING:

        def __get__(self, instance: Any, owner: Any) -> Any: ...
        def __set__(self, instance: Any, value: Any) -> None: ...

    def from_db_value(self, value: Any, *args: Any) -> Any:
        try:
            return super().from_db_value(value, *args)
        except InvalidToken:
            return Undecrypted(bytes(value))

    def value_from_object(self, obj: Model) -> Any:
        """Return the value for a form: empty where it must be typed again."""
        return readable_or(obj, self.attname, "")

    def value_to_string(self, obj: Model) -> str:
        """Return the value for `dumpdata`. Raises UnreadableValue."""
        return str(getattr(obj, self.attname))

    def pre_save(self, model_instance: Model, add: bool) -> Any:
        loaded = model_instance.__dict__
        if self.attname in loaded:
            return loaded[self.attname]
        return super().pre_save(model_instance, add)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if isinstance(value, Undecrypted):
            return connection.Database.Binary(value.token)
        return super().get_db_prep_save(value, connection)

    def get_prep_value(self, value: Any) -> Any:
        return value if isinstance(value, Undecrypted) else super().get_prep_value(value)


class EncryptedTextField(KeepsUnreadable, LibraryTextField):
    """A text that is stored encrypted. Queries cannot search it."""

    def deconstruct(self) -> Any:
        """Name the library's field in migrations: the column is the same."""
        name, _, args, kwargs = super().deconstruct()
        return name, "fernet_fields.fields.EncryptedTextField", args, kwargs


class EncryptedCharField(KeepsUnreadable, LibraryCharField):
    """A text of one line that is stored encrypted. Queries cannot search it."""

    def deconstruct(self) -> Any:
        """Name the library's field in migrations: the column is the same."""
        name, _, args, kwargs = super().deconstruct()
        return name, "fernet_fields.fields.EncryptedCharField", args, kwargs


class EncryptedJSONField(KeepsUnreadable, LibraryTextField):
    """A JSON value, stored as one encrypted text. Queries cannot search it."""

    def to_python(self, value: Any) -> Any:
        return value

    def value_to_string(self, obj: Model) -> Any:
        """Return the value for `dumpdata`, as the JSON that it is. Raises UnreadableValue."""
        return getattr(obj, self.attname)

    def get_prep_value(self, value: Any) -> Any:
        if value is None or isinstance(value, Undecrypted):
            return value
        return json.dumps(value)

    def from_db_value(self, value: Any, *args: Any) -> Any:
        text = super().from_db_value(value, *args)
        return text if text is None or isinstance(text, Undecrypted) else json.loads(text)


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


def readable_or(row: Model, name: str, otherwise: Any) -> Any:
    """Return the value of an encrypted field, or `otherwise` where no key opens it."""
    try:
        return getattr(row, name)
    except UnreadableValue:
        return otherwise
