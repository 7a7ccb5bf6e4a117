"""The tables of the app. The inbox's: every verified callback, stored once, with its state."""

from typing import Any

from cryptography.fernet import InvalidToken
from django.db import models
from django.db.models import Q

from couriers.contract.receiver import Topic
from couriers.contract.request_ids import MAX_LENGTH
from couriers.models import CourierAccount
from couriers.models.fields import EncryptedBytesField, SealedBytes
from webhooks.outbox.models import WebhookDelivery, WebhookEndpoint
from webhooks.payloads import UndecryptableBody, UnreadableBody

__all__ = [
    "EventState",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookEvent",
    "WebhookEventQuerySet",
]


class EventState(models.TextChoices):
    """A callback's state. `failed` is retried; `dead` is not, until a replay or a repeat."""

    PENDING = "pending", "Pending"
    PROCESSED = "processed", "Processed"
    FAILED = "failed", "Failed"
    DEAD = "dead", "Dead"


class WebhookEventQuerySet(models.QuerySet["WebhookEvent"]):
    """Queries for the admin and the staff API."""

    def for_display(self) -> "WebhookEventQuerySet":
        """Load the names of the account, too; defer bodies and encrypted columns."""
        return self.select_related("account__company", "account__courier").only(
            "topic", "state", "attempts", "reason", "received_at", "next_attempt_at",
            "processed_at", "account__courier__name", "account__company__name",
        )  # fmt: skip


class WebhookEvent(models.Model):
    """One callback. `content_hash` is a keyed hash of its canonical content, unique per account.

    The body is encrypted, and None once it has been erased with its shipment's consignee.

    The account has no foreign key constraint in the database: PostgreSQL would lock the account's
    row for every insert, and write that lock to disk. `received_at` has no index, which would
    slow every insert: the nightly purge walks the primary key instead.
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
    body = EncryptedBytesField(null=True)
    state = models.CharField(max_length=10, choices=EventState, default=EventState.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    reason = models.CharField(max_length=500, blank=True)
    received_at = models.DateTimeField()
    processed_at = models.DateTimeField(null=True, blank=True)
    # Of the request that stored it, by which log lines are found. "" for one of an earlier version.
    request_id = models.CharField(
        max_length=MAX_LENGTH, blank=True, default="", db_default="", editable=False
    )

    objects = WebhookEventQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        permissions = [("replay_event", "Can replay callbacks")]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "content_hash"], name="webhooks_event_stored_once"
            ),
            # One constraint for both rules: each constraint is checked on every insert.
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

    def read_body(self) -> bytes:
        """Return the decrypted body.

        Raises UnreadableBody where it has been erased, and UndecryptableBody where FERNET_KEYS of
        this process lack its key.
        """
        body: Any = self.body
        if body is None:
            raise UnreadableBody("has been erased")
        if not isinstance(body, SealedBytes):
            return bytes(body)
        try:
            return body.open()
        except InvalidToken:
            raise UndecryptableBody from None
