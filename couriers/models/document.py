"""The documents of shipments, and the storage that keeps them."""

from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.contrib.postgres.fields import ArrayField
from django.core.files.storage import Storage, storages
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from couriers.conf import tunables
from couriers.contract.documents import DocumentKind
from couriers.models.fields import (
    MAX_ERROR_TEXT,
    EncryptedBytesField,
    EncryptedTextField,
    SealedBytes,
)
from couriers.models.shipment import Shipment

PDF = "application/pdf"


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


class DocumentState(models.TextChoices):
    """Whether a document is still to be fetched, and how that ended."""

    PENDING = "pending", "Pending"
    STORED = "stored", "Stored"
    FAILED = "failed", "Failed"


class StoredDocument(models.Model):
    """A document of one kind of a shipment, for one of its tracking ids.

    One that came with a booking is *pending* until it has been fetched: its `link` may hold a
    signature and is encrypted, and the worker that fetches it holds a lease. `attempts` counts the
    claims, so that a worker writes nothing once another worker has claimed the row. `failures`
    counts the attempts that failed or whose worker died; `reason` is that of the last one.

    A document is *stored* after its complete file, so a file without such a row is never served.
    The file is encrypted with `file_key`, a key of its own that is encrypted in the database: a
    rotation of FERNET_KEYS need not write the files anew, and without its row a copy of a file is
    unreadable.
    """

    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, related_name="documents")
    kind = models.CharField(
        max_length=30, choices=DocumentKind, default=DocumentKind.LABEL, db_default="label"
    )
    tracking_id = models.CharField(max_length=100)
    state = models.CharField(
        max_length=10, choices=DocumentState, default=DocumentState.STORED, db_default="stored"
    )
    link = EncryptedTextField(null=True, blank=True, editable=False)
    content_types = ArrayField(models.CharField(max_length=50), default=list, db_default=[])
    content_type = models.CharField(max_length=50, default=PDF, db_default=PDF)
    file = models.FileField(max_length=300, storage=document_storage, blank=True)
    file_key = EncryptedBytesField(null=True)
    attempts = models.PositiveIntegerField(default=0, db_default=0)
    failures = models.PositiveIntegerField(default=0, db_default=0)
    next_attempt_at = models.DateTimeField(db_default=Now())
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=MAX_ERROR_TEXT, blank=True, default="", db_default="")
    stored_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        # The table's name is from before it held more than labels. A new one would break the
        # processes that run while the database is upgraded.
        db_table = "shipcrowd_couriers_storedlabel"
        constraints = [
            models.UniqueConstraint(
                fields=["shipment", "kind", "tracking_id"], name="couriers_one_document_of_a_kind"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=DocumentKind.values), name="couriers_document_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=DocumentState.values), name="couriers_document_state_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(state=DocumentState.PENDING),
                name="couriers_document_due",
            ),
            # Operators look for what has failed, the newest first.
            models.Index(
                fields=["id"],
                condition=Q(state=DocumentState.FAILED),
                name="couriers_document_failed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.tracking_id}"

    def seal(self, content: bytes) -> bytes:
        """Give the document a new key; return the content encrypted with it, to be stored."""
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
