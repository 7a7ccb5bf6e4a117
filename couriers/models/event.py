"""Events: what a storefront is told of its shipments, jobs and manifests, each change once.

PostgreSQL writes them by triggers (migration 0036), in the statement that changes the row. So no
door can forget one, and a change that is rolled back has none.
"""

from __future__ import annotations

from typing import Any

from django.db import connections, models, router
from django.db.models import Func, Q, Value

from couriers.models.company import Company
from couriers.models.ids import new_event_id
from couriers.models.shipment import Shipment


class EventType(models.TextChoices):
    """What has happened. Each change of a shipment's status is exactly one event."""

    BOOKED = "shipment.booked", "Booked"
    IN_DOUBT = "shipment.in_doubt", "In doubt"
    SETTLED = "shipment.settled", "Doubt settled"
    STATUS_CHANGED = "shipment.status_changed", "Status changed"
    DELIVERED = "shipment.delivered", "Delivered"
    UNDELIVERED = "shipment.undelivered", "Undelivered"
    ACTION_ENDED = "shipment.action_ended", "Action ended"
    FLAGGED = "shipment.flagged", "Flagged"
    JOB_FINISHED = "job.finished", "Bulk job finished"
    MANIFEST_FINISHED = "manifest.finished", "Manifest finished"
    PING = "ping", "Ping"


NUMBERS = "shipcrowd_event_numbers"  # the sequence of `number`
POSITIONS = "shipcrowd_event_positions"  # and that of `position`


def create_sequences(using: str, **_: Any) -> None:
    """Create the sequences, where tables are made from the models, without migrations."""
    if not router.allow_migrate_model(using, Event) or connections[using].vendor != "postgresql":
        return
    with connections[using].cursor() as cursor:
        for name in (NUMBERS, POSITIONS):
            cursor.execute(f"CREATE SEQUENCE IF NOT EXISTS {name}")


class Event(models.Model):
    """One event. It never changes, but for its position and for the erasure of a consignee.

    `number` grows with each event that is written. The events of one shipment have the order of its
    changes, because each change holds the lock of the shipment's row. Between shipments a later
    number may be committed first, so nobody reads by it. `position` is the place in the order of
    reading. It is given after the commit (couriers.operations.events), so a position that is not
    seen yet is always after those that are.

    `data` holds ids, numbers, statuses and times, and of the consignee nothing. `ndr_reason` is the
    courier's masked words, and is erased with the consignee.
    """

    id = models.CharField(primary_key=True, max_length=40, default=new_event_id, editable=False)
    number = models.BigIntegerField(
        editable=False, db_default=Func(Value(NUMBERS), function="nextval")
    )
    position = models.BigIntegerField(null=True, editable=False)
    # A trigger has the rows before it, so there is nothing that a constraint would have to look up.
    company = models.ForeignKey(
        Company,
        on_delete=models.PROTECT,
        related_name="events",
        db_constraint=False,
        db_index=False,
    )
    shipment = models.ForeignKey(
        Shipment,
        null=True,
        on_delete=models.CASCADE,
        related_name="events",
        db_constraint=False,
        db_index=False,
    )
    type = models.CharField(max_length=30, choices=EventType)
    data = models.JSONField()
    is_test = models.BooleanField("test mode", default=False, db_default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(type__in=EventType.values), name="couriers_event_type_known"
            ),
            # Its index is what a company's events are read by.
            models.UniqueConstraint(
                fields=["company", "is_test", "position"], name="couriers_event_position_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["number"],
                condition=Q(position__isnull=True),
                name="couriers_event_unnumbered",
            ),
            models.Index(fields=["shipment"], name="couriers_event_shipment"),
            models.Index(fields=["created_at"], name="couriers_event_created"),
        ]

    def __str__(self) -> str:
        return f"{self.get_type_display()} ({self.pk})"
