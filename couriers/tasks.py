"""The core's work for Celery. Each task takes ids or nothing and can be run twice, or at once."""

from __future__ import annotations

from celery import shared_task

from couriers.booking import expire_leases


@shared_task(name="couriers.reconcile_bookings")
def reconcile_bookings() -> int:
    """Put in doubt what nobody is booking any more; returns how many there were."""
    return expire_leases()
