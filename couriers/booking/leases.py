"""The lease of a booking under way: the time until which its process must settle it.

Leases are on the database's clock.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from couriers.contract.statuses import Status
from couriers.models import Shipment
from couriers.models.announcements import FACTS, status_changed


def expire_leases() -> int:
    """Put every booking whose lease has run out in doubt; return how many there were.

    The process that was booking has died or is stuck. A later answer still settles the booking.
    """
    now = timezone.now()
    with transaction.atomic():
        expired = list(
            Shipment.objects.select_for_update(of=("self",))
            .filter(status=Status.BOOKING, lease_expires_at__lte=Now())
            .only(*FACTS)
            .order_by("id")
        )
        if expired:
            Shipment.objects.filter(pk__in=[shipment.pk for shipment in expired]).update(
                status=Status.IN_DOUBT, updated_at=now
            )
        for shipment in expired:
            status_changed(shipment, Status.BOOKING, Status.IN_DOUBT)
    return len(expired)


def lease_seconds_left(shipment: Shipment) -> float:
    """Return the seconds until the booking's lease runs out, 0 or less once it has.

    They are by this machine's clock, which may differ from the database's.
    """
    end = shipment.lease_expires_at or shipment.created_at
    return (end - timezone.now()).total_seconds()
