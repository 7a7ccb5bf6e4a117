"""Bulk jobs: many orders in one request, each booked by the booking protocol."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from couriers.models.company import Company
from couriers.models.fields import MAX_ERROR_TEXT, EncryptedTextField
from couriers.models.ids import new_job_id
from couriers.models.modes import mode_field
from couriers.models.shipment import Shipment


class JobState(models.TextChoices):
    """Whether a job has orders left to book."""

    PENDING = "pending", "Pending"
    DONE = "done", "Done"


class BulkJob(models.Model):
    """Orders that came in one request. Its progress is counted from its orders' outcomes.

    `idempotency_key` is the request's own, or "". `fingerprint` is a keyed hash of the request,
    by which another request with the same key is recognised. Of a job with `cancelled_at` no order
    is begun any more.
    """

    id = models.CharField(primary_key=True, max_length=40, default=new_job_id, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="jobs")
    is_test = mode_field("Booked with test accounts.")
    state = models.CharField(max_length=10, choices=JobState, default=JobState.PENDING)
    total = models.PositiveIntegerField()
    idempotency_key = models.CharField(max_length=255, blank=True)
    fingerprint = models.CharField(max_length=80, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=JobState.values), name="couriers_job_state_known"
            ),
            models.UniqueConstraint(
                fields=["company", "idempotency_key", "is_test"],
                condition=~Q(idempotency_key=""),
                name="couriers_one_job_per_key",
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"], condition=Q(state=JobState.PENDING), name="couriers_job_open"
            )
        ]

    def __str__(self) -> str:
        return self.pk


class OrderOutcome(models.TextChoices):
    """How an order of a job or of a spreadsheet ended; `pending` until an order of a job ends.

    `skipped` is for an order of a spreadsheet with nothing to ship, and for one that had not begun
    when its job was cancelled.
    """

    PENDING = "pending", "Pending"
    BOOKED = "booked", "Booked"
    ALREADY_BOOKED = "already_booked", "Already booked"
    SKIPPED = "skipped", "Skipped"
    REJECTED = "rejected", "Rejected"
    IN_DOUBT = "in_doubt", "In doubt"
    FAILED = "failed", "Failed"


ENDED = tuple(outcome for outcome in OrderOutcome if outcome != OrderOutcome.PENDING)


class BulkOrder(models.Model):
    """One order of a job. The request is encrypted, and erased once the order has ended.

    That of a failed order is kept, so that it can be booked once more, and erased with its texts.

    The worker that books it holds a lease until `lease_expires_at`. `tries` counts the attempts
    that certainly booked nothing. A call that the rate limiter or an open circuit held back is not
    an attempt.
    """

    job = models.ForeignKey(BulkJob, on_delete=models.CASCADE, related_name="orders")
    position = models.PositiveIntegerField()
    order_number = models.CharField(max_length=100, blank=True)
    request = EncryptedTextField(blank=True)
    outcome = models.CharField(max_length=20, choices=OrderOutcome, default=OrderOutcome.PENDING)
    shipment = models.ForeignKey(
        Shipment, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    problems = models.JSONField(default=list, blank=True)
    reason = models.CharField(max_length=MAX_ERROR_TEXT, blank=True)
    tries = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(db_default=Now())
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
            ),
            models.Index(fields=["order_number"], name="couriers_order_number"),
            models.Index(fields=["job", "outcome", "position"], name="couriers_order_outcome"),
            models.Index(
                fields=["job", "position"],
                condition=Q(outcome=OrderOutcome.PENDING),
                name="couriers_order_pending",
            ),
            models.Index(
                fields=["finished_at"],
                condition=Q(outcome=OrderOutcome.FAILED),
                name="couriers_order_failed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.job_id} #{self.position}"


class BulkTurn(models.Model):
    """When the bulk work of a company was served last. Companies are served in turn, by slices.

    The worker of a slice holds a lease until `lease_expires_at`. Until `next_attempt_at` the
    company is passed over, because its courier's limit is used up.
    """

    company = models.OneToOneField(
        Company, primary_key=True, on_delete=models.CASCADE, related_name="bulk_turn"
    )
    served_at = models.DateTimeField(null=True, blank=True)
    next_attempt_at = models.DateTimeField(db_default=Now())
    lease_expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("company",)

    def __str__(self) -> str:
        return f"The turn of {self.company.name}"
