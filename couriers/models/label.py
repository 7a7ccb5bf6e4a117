"""Labels that were fetched from a courier, and the storage that keeps documents."""

from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.core.files.storage import Storage, storages
from django.db import models

from couriers.conf import tunables
from couriers.models.fields import EncryptedBytesField, SealedBytes
from couriers.models.shipment import Shipment


class DocumentStorage(Storage):
    """The storage that SHIPCROWD["STORAGE"] names, looked up whenever it is used.

    A field gets its storage when its model is loaded. A wrong alias must not fail there, but in a
    system check that names it (couriers.E006).
    """

    def __getattribute__(self, name: str) -> Any:
        return getattr(storages[tunables().STORAGE], name)


def document_storage() -> Storage:
    """Return the storage of documents. Migrations name this function, not what it returns."""
    return DocumentStorage()


class StoredLabel(models.Model):
    """The label of a shipment for one of its tracking ids.

    The row is written after the complete file, so a file without a row is never served. The file
    is encrypted with `file_key`, a key of its own that is encrypted in the database: a rotation of
    FERNET_KEYS need not write the files anew, and without its row a copy of a file is unreadable.
    """

    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, related_name="labels")
    tracking_id = models.CharField(max_length=100)
    file = models.FileField(max_length=300, storage=document_storage)
    file_key = EncryptedBytesField(null=True)
    stored_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["shipment", "tracking_id"], name="couriers_one_label_per_tracking_id"
            )
        ]

    def __str__(self) -> str:
        return self.tracking_id

    def seal(self, content: bytes) -> bytes:
        """Give the label a new key; return the content encrypted with it, to be stored."""
        key = Fernet.generate_key()
        self.file_key = key
        return Fernet(key).encrypt(content)

    def open_key(self) -> bytes | None:
        """Return the file's key, or None for a file that was stored plain by a former version.

        Raises InvalidToken where FERNET_KEYS of this process lack its key.
        """
        key: Any = self.file_key
        return key.open() if isinstance(key, SealedBytes) else key

    def has_readable_key(self) -> bool:
        """Return whether this process could open the file, or the file was stored plain."""
        try:
            self.open_key()
        except InvalidToken:
            return False
        return True

    def unseal(self, stored: bytes) -> bytes:
        """Return the decrypted content of the file. Raises InvalidToken where it is not this."""
        key = self.open_key()
        if key is None:
            raise InvalidToken
        return Fernet(key).decrypt(stored)
