"""The audit log of operators' decisions, which is append-only."""

from typing import Any

from django.conf import settings
from django.db import models

from couriers.models.company import Company
from couriers.models.shipment import Shipment


class AuditEntry(models.Model):
    """One decision of an operator, with its reason. It cannot be changed or deleted.

    `shipment` is None where it is about a warehouse: `details` name it.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    shipment = models.ForeignKey(
        Shipment, null=True, on_delete=models.PROTECT, related_name="audit"
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    action = models.CharField(max_length=50)
    reason = models.CharField(max_length=500)
    details = models.JSONField(default=dict)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "audit entries"
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.action} {self.shipment_id or ''}".strip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert the entry. Raises TypeError for an entry that is stored already."""
        if not self._state.adding:
            raise TypeError("an audit entry is never changed")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Raise TypeError: the log is append-only."""
        raise TypeError("an audit entry is never deleted")
