"""Bulk bookings: many orders handed in at once, each booked by the booking protocol."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from fernet_fields import EncryptedTextField

from couriers.models.company import Company
from couriers.models.ids import new_job_id
from couriers.models.shipment import Shipment


class JobState(models.TextChoices):
    """How far a job is."""

    PENDING = "pending", "Pending"
    DONE = "done", "Done"


class BulkJob(models.Model):
    """Orders handed in together. Progress is the outcomes of its orders."""

    id = models.CharField(primary_key=True, max_length=40, default=new_job_id, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="jobs")
    state = models.CharField(max_length=10, choices=JobState, default=JobState.PENDING)
    total = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=JobState.values), name="couriers_job_state_known"
            )
        ]
        indexes = [
            models.Index(
                fields=["id"], condition=Q(state=JobState.PENDING), name="couriers_job_open"
            )
        ]

    def __str__(self) -> str:
        return self.pk


class OrderOutcome(models.TextChoices):
    """What became of an order of a job; `pending` until it is settled."""

    PENDING = "pending", "Pending"
    BOOKED = "booked", "Booked"
    ALREADY_BOOKED = "already_booked", "Already booked"
    IN_DOUBT = "in_doubt", "In doubt"
    REJECTED = "rejected", "Rejected"
    FAILED = "failed", "Failed"


class BulkOrder(models.Model):
    """One order of a job. The request is encrypted, and erased once its outcome is known.

    Whoever books it holds it until `lease_expires_at`; `tries` counts how often the courier put
    it off or it could not be sent.
    """

    job = models.ForeignKey(BulkJob, on_delete=models.CASCADE, related_name="orders")
    position = models.PositiveIntegerField()
    order_number = models.CharField(max_length=100)
    request = EncryptedTextField(blank=True)
    outcome = models.CharField(max_length=20, choices=OrderOutcome, default=OrderOutcome.PENDING)
    shipment = models.ForeignKey(
        Shipment, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    problems = models.JSONField(default=list, blank=True)
    reason = models.CharField(max_length=1000, blank=True)
    tries = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("job", "position")
        constraints = [
            models.UniqueConstraint(
                fields=["job", "position"], name="couriers_one_order_per_position"
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=OrderOutcome.values), name="couriers_order_outcome_known"
            ),
            models.CheckConstraint(
                condition=Q(outcome=OrderOutcome.PENDING, finished_at__isnull=True)
                | (~Q(outcome=OrderOutcome.PENDING) & Q(finished_at__isnull=False)),
                name="couriers_order_ended_has_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(outcome=OrderOutcome.PENDING),
                name="couriers_order_due",
            )
        ]

    def __str__(self) -> str:
        return f"{self.job_id} #{self.position}"
