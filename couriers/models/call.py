"""The audit of calls that change something at a courier: the time and the outcome of each."""

from django.db import models
from django.db.models import Q

from couriers.models.account import CourierAccount
from couriers.models.fields import MAX_ERROR_TEXT
from couriers.models.shipment import Shipment


class Outcome(models.TextChoices):
    """How a call ended, `pending` until then. Failures are the classes of contract/errors.py."""

    PENDING = "pending", "Pending"
    OK = "ok", "Done"
    NOT_SENT = "not_sent", "Not sent"
    NOT_DONE = "not_done", "Not done"
    REJECTED = "rejected", "Rejected"
    UNKNOWN = "unknown", "Unknown"


class CourierCall(models.Model):
    """One call. `message` holds the courier's own words, never a secret or a consignee's data."""

    account = models.ForeignKey(CourierAccount, on_delete=models.CASCADE, related_name="calls")
    shipment = models.ForeignKey(
        Shipment, null=True, blank=True, on_delete=models.CASCADE, related_name="calls"
    )
    operation = models.CharField(max_length=40)
    attempt = models.PositiveIntegerField(default=1)
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.PENDING)
    http_status = models.PositiveSmallIntegerField("HTTP status", null=True, blank=True)
    code = models.CharField(max_length=100, blank=True)
    message = models.CharField(max_length=MAX_ERROR_TEXT, blank=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome__in=Outcome.values), name="couriers_call_outcome_known"
            ),
            models.CheckConstraint(
                condition=Q(outcome=Outcome.PENDING, finished_at__isnull=True)
                | (~Q(outcome=Outcome.PENDING) & Q(finished_at__isnull=False)),
                name="couriers_call_ended_has_time",
            ),
        ]
        indexes = [models.Index(fields=["started_at"], name="couriers_call_started")]

    def __str__(self) -> str:
        return f"{self.operation}: {self.outcome}"
