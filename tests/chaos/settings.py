"""The project's settings with short times for chaos runs: leases, cool-downs, periodic tasks."""

from shipcrowd.settings import *  # noqa: F403
from shipcrowd.settings import SHIPCROWD

SHIPCROWD = SHIPCROWD | {
    "BOOKING_LEASE": 20.0,
    "BREAKER_COOLDOWN": 2.0,
    "COURIERS": {"ekart": {"READ_TIMEOUT": 1.0, "AUTH_READ_TIMEOUT": 1.0}},
}
CELERY_BEAT_SCHEDULE = {
    "sweep-inbox": {"task": "webhooks.sweep_inbox", "schedule": 1.0},
    "reconcile-bookings": {"task": "couriers.reconcile_bookings", "schedule": 2.0},
}
