"""The outbox' tables: the endpoints of companies, and what is delivered to them."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from couriers.models import Company, Event
from couriers.models.fields import EncryptedCharField
from couriers.models.ids import new_endpoint_id
from couriers.models.modes import mode_field

MAX_DESCRIPTION = 200
MAX_URL = 500
MAX_ANSWER, MAX_ERROR = 500, 200  # characters
EVERY_EVENT = "*"  # the only item of `events` where an endpoint is sent events of every type


class DisabledBy(models.TextChoices):
    """Why an endpoint is sent nothing."""

    NOTHING = "", "Nothing"
    HAND = "by_hand", "By hand"
    GONE = "gone", "It answered 410 Gone"
    FAILING = "failing", "It has failed for a day"


class DeliveryState(models.TextChoices):
    """A delivery's state. `given_up` was tried for a day, while others arrived."""

    PENDING = "pending", "Pending"
    DELIVERED = "delivered", "Delivered"
    GIVEN_UP = "given_up", "Given up"


def every_event() -> list[str]:
    """Return the events of an endpoint that names none."""
    return [EVERY_EVENT]


class WebhookEndpoint(models.Model):
    """A company's server, which is sent the company's events of its mode, as they happen.

    `events` are the types that it is sent. `secret` signs what is sent, and so does
    `previous_secret` until its end. `read_to` is the position of the last event that has become a
    delivery, or that the endpoint does not want. A disabled one stays where it is, so that it
    misses nothing: enabled again, it is sent what has happened since.

    `failures` counts failed deliveries in a row, since `failing_since`. From a few of them on it is
    tried by one delivery at a time, at `next_attempt_at`. `is_slow` is one whose last answer took
    long, or did not come: it has threads apart from those of the prompt ones.
    """

    id = models.CharField(primary_key=True, max_length=40, default=new_endpoint_id, editable=False)
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="webhook_endpoints")
    is_test = mode_field("Of a test key: it is sent the events of test rows alone.")
    url = models.CharField("URL", max_length=MAX_URL)
    description = models.CharField(max_length=MAX_DESCRIPTION, blank=True, default="")
    events = ArrayField(models.CharField(max_length=30), default=every_event)
    enabled = models.BooleanField(default=True)
    disabled_by = models.CharField(
        max_length=10, choices=DisabledBy, blank=True, default=DisabledBy.NOTHING
    )
    disabled_at = models.DateTimeField(null=True, blank=True)
    secret = EncryptedCharField(max_length=100)
    previous_secret = EncryptedCharField(max_length=100, blank=True, default="")
    previous_secret_until = models.DateTimeField(null=True, blank=True)
    read_to = models.BigIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True, blank=True)
    next_attempt_at = models.DateTimeField(db_default=Now())
    served_at = models.DateTimeField(null=True, blank=True)
    is_slow = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "endpoint"
        ordering = ("-id",)
        permissions = [("operate_endpoint", "Can enable and test endpoints, and send events again")]
        indexes = [models.Index(fields=["company", "-id"], name="webhooks_endpoint_company")]
        constraints = [
            models.CheckConstraint(
                condition=Q(enabled=True, disabled_by="", disabled_at__isnull=True)
                | Q(
                    enabled=False,
                    disabled_by__in=[*DisabledBy.values[1:]],
                    disabled_at__isnull=False,
                ),
                name="webhooks_endpoint_disabled_has_reason",
            )
        ]

    def __str__(self) -> str:
        return f"{self.shown_url} of {self.company}"

    @property
    def shown_url(self) -> str:
        """The URL without its query, which may hold a token of the merchant's."""
        address, mark, _ = self.url.partition("?")
        return address + ("?…" if mark else "")


class WebhookDelivery(models.Model):
    """One event for one endpoint, with what came of its last attempt.

    `ordered_by` is the event's shipment, null where it has none: the next delivery of a shipment to
    an endpoint waits until the one before it has ended. `position` is the event's. `attempts` are
    counted when they begin. `status_code` is null where no answer came, and `error` says why.

    The event has no foreign key constraint in the database, because its row is locked by none.
    """

    id = models.BigAutoField(primary_key=True)
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )
    event = models.ForeignKey(
        Event,
        on_delete=models.CASCADE,
        related_name="deliveries",
        db_index=False,
        db_constraint=False,
    )
    ordered_by = models.CharField("shipment", max_length=40, null=True, editable=False)  # noqa: DJ001 - null is no shipment
    position = models.BigIntegerField(editable=False)
    state = models.CharField(
        max_length=10, choices=DeliveryState, default=DeliveryState.PENDING, editable=False
    )
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    next_attempt_at = models.DateTimeField(db_default=Now())
    lease_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    answer = models.CharField(max_length=MAX_ANSWER, blank=True, default="", db_default="")
    error = models.CharField(max_length=MAX_ERROR, blank=True, default="", db_default="")
    milliseconds = models.PositiveIntegerField(null=True, blank=True)
    attempted_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "webhook deliveries"
        ordering = ("-id",)
        constraints = [
            # The event comes first: a purged event finds its deliveries by this index.
            models.UniqueConstraint(
                fields=["event", "endpoint"], name="webhooks_delivery_event_once"
            ),
            models.CheckConstraint(
                condition=Q(state__in=DeliveryState.values), name="webhooks_delivery_state_known"
            ),
        ]
        indexes = [
            models.Index(fields=["endpoint", "-id"], name="webhooks_delivery_log"),
            models.Index(
                fields=["endpoint", "next_attempt_at", "position"],
                condition=Q(state="pending"),
                name="webhooks_delivery_due",
            ),
            models.Index(
                fields=["endpoint", "ordered_by", "position"],
                condition=Q(state="pending"),
                name="webhooks_delivery_order",
            ),
            models.Index(
                fields=["endpoint"],
                condition=Q(lease_expires_at__isnull=False),
                name="webhooks_delivery_in_flight",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} for {self.endpoint_id}: {self.get_state_display().lower()}"

    @property
    def company_id(self) -> Any:
        """The company whose endpoint it is for."""
        return self.endpoint.company_id
