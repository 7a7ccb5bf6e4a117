"""Time that passes for bookings in doubt: leases, calls and inquiries."""

from __future__ import annotations

import datetime as dt

from django.db.models import F

from couriers.booking.inquiries import Asked, ask_about_doubts
from couriers.booking.leases import expire_leases
from couriers.models import CourierCall, DoubtInquiry, ReservedId, Shipment

TIMES = (
    "over_at", "last_asked_at", "first_absent_at", "last_absent_at", "next_attempt_at",
    "lease_expires_at", "created_at",
)  # fmt: skip


def pass_time(seconds: float) -> None:
    """Move everything that is timed so many seconds into the past."""
    by = dt.timedelta(seconds=seconds)
    DoubtInquiry.objects.update(**{name: F(name) - by for name in TIMES})
    CourierCall.objects.update(started_at=F("started_at") - by, finished_at=F("finished_at") - by)
    Shipment.objects.update(lease_expires_at=F("lease_expires_at") - by)
    ReservedId.objects.update(use_from=F("use_from") - by)


def reconcile() -> Asked:
    """Do what the task does that beat sends."""
    expire_leases()
    return ask_about_doubts(30)
