"""What members of staff tell each other about a shipment: who looks after it, and notes."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models

from couriers.models.fields import EncryptedTextField
from couriers.models.shipment import Shipment

MAX_NOTE = 1000  # characters


class Assignment(models.Model):
    """Who looks after a shipment: one member of staff at a time."""

    shipment = models.OneToOneField(
        Shipment, primary_key=True, on_delete=models.CASCADE, related_name="assignment"
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-shipment_id",)

    def __str__(self) -> str:
        return f"{self.user} looks after {self.shipment_id}"


class ShipmentNote(models.Model):
    """A note of a member of staff. It is never changed, and is deleted with the consignee's data.

    The text is encrypted, since people write phones and names into notes.
    """

    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, related_name="notes")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    text = EncryptedTextField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-id",)
        verbose_name = "note"

    def __str__(self) -> str:
        return f"note on {self.shipment_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert the note. Raises TypeError for a note that is stored already."""
        if not self._state.adding:
            raise TypeError("a note is never changed")
        super().save(*args, **kwargs)
