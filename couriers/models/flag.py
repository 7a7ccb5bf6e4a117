"""Flags: one row for each problem of a shipment that an operator must look at."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from couriers.contract.logs import get_logger
from couriers.contract.text import make_storable
from couriers.models.announcements import flag_raised
from couriers.models.shipment import Shipment

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

log = get_logger(__name__)


class FlagKind(models.TextChoices):
    """What the problem is. The flag's `tracking_id`, `order_number` and `courier` complete it."""

    SECOND_SHIPMENT = "second_shipment", "The courier has another tracking id for the order"
    BOOKED_AGAIN = "booked_again", "The courier booked an order again whose shipment had ended"
    LATE_CONFIRMATION = "late_confirmation", "Given up as not booked, then confirmed"
    LATE_ANSWER = "late_answer", "Given up as not booked, then the courier's answer came"
    EARLIER_ATTEMPT = "earlier_attempt", "An earlier attempt is booked as well"
    EARLIER_COURIER = "earlier_courier", "A courier that was asked before has a parcel as well"
    AMBIGUOUS_CREATION = "ambiguous_creation", "A tracking id may belong to two shipments"
    POSSIBLE_CREATION = "possible_creation", "A tracking id came under a similar order number"
    AMBIGUOUS_RECREATION = "ambiguous_recreation", "Recreated, but of which shipment"
    RECREATED_AS_OTHER = "recreated_as_other", "Recreated under another shipment's tracking id"
    OTHER_ORDER = "other_order", "The courier names another order for the tracking id"
    LATE_SCANS = "late_scans", "Scans came after the end"
    FUTURE_SCANS = "future_scans", "Scans with a time in the future"
    ORDER_TAKEN = "order_taken", "On its way again, but the order has another live shipment"
    LIVE_TWICE = "live_twice", "The order has live shipments with two couriers"
    ACTION_UNKNOWN = "action_unknown", "Nobody knows how an action ended"


# Kinds that say that an order has two parcels. The others may turn out to be one.
TWO_PARCELS = (
    FlagKind.SECOND_SHIPMENT,
    FlagKind.BOOKED_AGAIN,
    FlagKind.EARLIER_ATTEMPT,
    FlagKind.EARLIER_COURIER,
    FlagKind.LIVE_TWICE,
)
# Kinds that depend on a shipment's scans alone: each recount of the scans raises and clears them.
DERIVED_KINDS = (FlagKind.LATE_SCANS, FlagKind.ORDER_TAKEN)


class ShipmentFlagQuerySet(models.QuerySet["ShipmentFlag"]):
    """Queries that several rooms make."""

    def open(self) -> ShipmentFlagQuerySet:
        """Flags that nobody has cleared."""
        return self.filter(cleared_at__isnull=True)

    def clear(self, reason: str, cleared_by: AbstractBaseUser | None) -> int:
        """Clear the flags; return how many there were. `cleared_by` None means the platform."""
        return self.update(
            cleared_at=timezone.now(),
            cleared_by_id=cleared_by.pk if cleared_by else None,
            clear_reason=make_storable(reason).strip(),
        )


class ShipmentFlag(models.Model):
    """One problem that an operator must look at. It is open until `cleared_at` is set.

    `cleared_by` is empty where the platform itself cleared it.
    """

    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, related_name="flags")
    kind = models.CharField(max_length=30, choices=FlagKind)
    tracking_id = models.CharField(max_length=100, blank=True)
    order_number = models.CharField(max_length=100, blank=True)
    courier = models.CharField(max_length=30, blank=True, default="", db_default="")
    raised_at = models.DateTimeField()
    cleared_at = models.DateTimeField(null=True, blank=True)
    cleared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    clear_reason = models.CharField(max_length=500, blank=True)

    objects = ShipmentFlagQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        permissions = [("clear_flag", "Can clear flags of shipments")]
        constraints = [
            models.UniqueConstraint(
                fields=["shipment", "kind", "tracking_id", "order_number"],
                condition=Q(cleared_at__isnull=True),
                name="couriers_flag_open_once",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=FlagKind.values), name="couriers_flag_kind_is_known"
            ),
            models.CheckConstraint(
                condition=Q(cleared_at__isnull=True, cleared_by__isnull=True, clear_reason="")
                | (Q(cleared_at__isnull=False) & ~Q(clear_reason="")),
                name="couriers_flag_cleared_has_reason",
            ),
        ]
        indexes = [
            models.Index(
                fields=["tracking_id"], condition=~Q(tracking_id=""), name="couriers_flag_tracking"
            )
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


def raise_flag(
    shipment: Shipment,
    kind: FlagKind,
    *,
    tracking_id: str = "",
    order_number: str = "",
    courier: str = "",
) -> None:
    """Raise a flag on a shipment, unless the same flag is open already.

    `tracking_id` is the other tracking id of the problem, `order_number` the order number that the
    courier named, and `courier` the courier where it is not the shipment's. Call with the
    shipment's row locked.
    """
    about = {
        "shipment": shipment,
        "kind": kind,
        "tracking_id": tracking_id[:100],
        "order_number": order_number[:100],
    }
    if ShipmentFlag.objects.open().filter(**about).exists():
        return
    flag = ShipmentFlag.objects.create(**about, courier=courier, raised_at=timezone.now())
    flag_raised(shipment, flag.pk, flag.kind, flag.tracking_id, flag.order_number, flag.courier)
    # A flag that follows from scans comes and goes with them; any other needs a person.
    level = logging.WARNING if kind in DERIVED_KINDS else logging.ERROR
    log.log(
        level, "shipment_flagged", shipment=shipment.pk, kind=kind.value, tracking_id=tracking_id
    )


def clear_flags(
    shipments: Collection[Shipment],
    kind: FlagKind,
    *,
    reason: str,
    tracking_id: str | None = None,
    cleared_by: AbstractBaseUser | None = None,
) -> int:
    """Clear the shipments' open flags of a kind; return how many there were.

    `tracking_id` None means flags with any id. `cleared_by` None means the platform itself.
    """
    found = ShipmentFlag.objects.open().filter(
        shipment__in=[shipment.pk for shipment in shipments], kind=kind
    )
    if tracking_id is not None:
        found = found.filter(tracking_id=tracking_id)
    return found.clear(reason, cleared_by)


def clear_flag(flag: ShipmentFlag, *, reason: str, cleared_by: AbstractBaseUser) -> bool:
    """Clear one flag; return whether it was open. Call with the shipment's row locked."""
    return bool(ShipmentFlag.objects.open().filter(pk=flag.pk).clear(reason, cleared_by))
