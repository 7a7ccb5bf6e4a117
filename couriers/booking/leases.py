"""The lease of a booking under way: the time until which its process must settle it.

After it, the call is surely over: an operator may release the order, and the courier may be asked.

Leases are on the database's clock.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import F, Max
from django.db.models.functions import Now
from django.utils import timezone

from couriers.conf import tunables
from couriers.contract.statuses import Status
from couriers.models import Shipment
from couriers.models.announcements import FACTS, status_changed
from couriers.models.call import Outcome


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


def seconds_until_call_is_over(shipment: Shipment) -> float:
    """Return the seconds for which a create call of the shipment may still be answered.

    0 means that every call is over. A call whose end is not recorded is over once BOOKING_LEASE has
    passed since its start: by the database's clock and by this machine's, since one of them may
    have been set forward.
    """
    pending = shipment.calls.filter(outcome=Outcome.PENDING).order_by("-id").first()
    if pending is None:
        return 0.0
    lease = dt.timedelta(seconds=tunables().BOOKING_LEASE)
    left = (pending.started_at + lease - timezone.now()).total_seconds()
    rows = Shipment.objects.filter(pk=shipment.pk)
    by_database: dt.timedelta | None = rows.aggregate(left=Max(F("lease_expires_at") - Now()))[
        "left"
    ]
    if by_database is not None:
        left = max(left, by_database.total_seconds())
    return max(left, 0.0)
