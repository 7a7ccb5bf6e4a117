"""The project's settings with short times for chaos runs: leases, cool-downs, periodic tasks."""

from couriers.conf import SHIPCROWD_BEAT_SCHEDULE, Every
from shipcrowd.settings import *  # noqa: F403
from shipcrowd.settings import INSTALLED_APPS, SHIPCROWD

INSTALLED_APPS = [*INSTALLED_APPS, "couriers.testing.toy", "tests.chaos.pauses.ShortPauses"]
TIMES = {"READ_TIMEOUT": 1.0, "AUTH_READ_TIMEOUT": 1.0}
SHIPCROWD = SHIPCROWD | {
    "BOOKING_LEASE": 20.0,
    "BREAKER_COOLDOWN": 2.0,
    "COURIERS": dict.fromkeys(
        ("ekart", "delhivery", "velocity", "toy_neither", "toy_search", "toy_reservation"), TIMES
    ),
}
PERIODS = {
    "sweep-inbox": 1.0, "reconcile-bookings": 2.0, "sweep-jobs": 2.0, "sweep-manifests": 2.0,
    "fill-reserved-ids": 1.0, "sweep-outbox": 1.0,
}  # fmt: skip
CELERY_BEAT_SCHEDULE = {
    name: SHIPCROWD_BEAT_SCHEDULE[name] | {"schedule": Every(seconds)}
    for name, seconds in PERIODS.items()
}
