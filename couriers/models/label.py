"""Labels that were fetched from a courier."""

from django.db import models

from couriers.models.shipment import Shipment


class StoredLabel(models.Model):
    """The label of a shipment for one of its tracking ids.

    The row is written after the complete file, so a file without a row is never served.
    """

    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, related_name="labels")
    tracking_id = models.CharField(max_length=100)
    file = models.FileField(max_length=300)
    stored_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["shipment", "tracking_id"], name="couriers_one_label_per_tracking_id"
            )
        ]

    def __str__(self) -> str:
        return self.tracking_id
