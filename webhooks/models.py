"""The inbox: every authentic callback, stored once, with what became of it."""

from django.db import models
from django.db.models import Q

from couriers.contract.receiver import Topic
from couriers.models import CourierAccount


class EventState(models.TextChoices):
    """What became of a callback. `failed` will be tried again; `dead` only by an operator."""

    PENDING = "pending", "Pending"
    PROCESSED = "processed", "Processed"
    FAILED = "failed", "Failed"
    DEAD = "dead", "Dead"


class WebhookEventQuerySet(models.QuerySet["WebhookEvent"]):
    """Callbacks, as people look at them."""

    def to_look_at(self) -> "WebhookEventQuerySet":
        """With their accounts, but without bodies and what would have to be decrypted."""
        return self.select_related("account").only(
            "topic", "state", "attempts", "reason", "received_at", "next_attempt_at",
            "processed_at", "account__courier_id", "account__company_id",
        )  # fmt: skip


class WebhookEvent(models.Model):
    """One callback. `content_hash` is the SHA-256 of its canonical content, unique per account.

    The account is no constraint in the database: to check it, PostgreSQL would lock the account's
    row for each callback, and write that down. Nor is there an index on `received_at`: the purge
    walks the primary key once a night, so that no insert pays for it.
    """

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(
        CourierAccount,
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    topic = models.CharField(max_length=30, default=Topic.UNKNOWN)
    content_hash = models.BinaryField(max_length=32)
    body = models.BinaryField()
    state = models.CharField(max_length=10, choices=EventState, default=EventState.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    reason = models.CharField(max_length=500, blank=True)
    received_at = models.DateTimeField()
    processed_at = models.DateTimeField(null=True, blank=True)

    objects = WebhookEventQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        permissions = [("replay_event", "Can replay callbacks")]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "content_hash"], name="webhooks_event_stored_once"
            ),
            # One for both: an insert pays for each of them.
            models.CheckConstraint(
                condition=Q(state__in=[EventState.PENDING, EventState.FAILED, EventState.DEAD])
                | Q(state=EventState.PROCESSED, processed_at__isnull=False),
                name="webhooks_event_state_known_processed_has_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(state__in=[EventState.PENDING, EventState.FAILED]),
                name="webhooks_event_due",
            ),
            models.Index(
                fields=["-id"], condition=Q(state=EventState.DEAD), name="webhooks_event_dead"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.pk}: {self.state}"
