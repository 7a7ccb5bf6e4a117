"""Labels that were fetched from a courier, and the storage that keeps documents."""

from typing import Any

from django.core.files.storage import Storage, storages
from django.db import models

from couriers.conf import tunables
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

    The row is written after the complete file, so a file without a row is never served.
    """

    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, related_name="labels")
    tracking_id = models.CharField(max_length=100)
    file = models.FileField(max_length=300, storage=document_storage)
    stored_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["shipment", "tracking_id"], name="couriers_one_label_per_tracking_id"
            )
        ]

    def __str__(self) -> str:
        return self.tracking_id
