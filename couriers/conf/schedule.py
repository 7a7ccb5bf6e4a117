"""The periodic tasks, which beat sends."""

from __future__ import annotations

import datetime as dt
from typing import Any

from celery.schedules import crontab, schedstate, schedule

from couriers.conf.queues import FROM_BEAT, SWEEP_EXPIRES, Queue


class Every(schedule):
    """A period in seconds, which a clock that goes back does not stop.

    Celery's own waits until the clock is where it was, and a period more.
    """

    def is_due(self, last_run_at: dt.datetime) -> schedstate:
        """Return whether the task is due, and the seconds until beat asks again."""
        if self.maybe_make_aware(last_run_at) > self.now():
            return schedstate(is_due=True, next=self.seconds)
        return super().is_due(last_run_at)


def _periodic(task: str, when: schedule | crontab, queue: Queue) -> dict[str, Any]:
    headers = {FROM_BEAT: True}
    options = {"queue": queue.value, "expires": SWEEP_EXPIRES, "headers": headers}
    return {"task": task, "schedule": when, "options": options}


NIGHTLY = crontab(minute=30, hour=21)  # 3:00 in India with Celery's default time zone, UTC
# The periodic tasks. A project merges them into its CELERY_BEAT_SCHEDULE.
SHIPCROWD_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "sweep-inbox": _periodic("webhooks.sweep_inbox", Every(2.0), Queue.INBOX),
    "sweep-outbox": _periodic("webhooks.sweep_outbox", Every(2.0), Queue.OUTBOX),
    "reconcile-bookings": _periodic("couriers.reconcile_bookings", Every(30.0), Queue.BOOKING),
    "fill-reserved-ids": _periodic("couriers.fill_reserved_ids", Every(60.0), Queue.BOOKING),
    "sweep-manifests": _periodic("couriers.sweep_manifests", Every(30.0), Queue.DEFAULT),
    "fetch-documents": _periodic("couriers.fetch_documents", Every(10.0), Queue.DEFAULT),
    "sweep-jobs": _periodic("couriers.sweep_jobs", Every(30.0), Queue.BOOKING),
    "sweep-actions": _periodic("couriers.sweep_actions", Every(30.0), Queue.TRACKING),
    "read-alerts": _periodic("couriers.read_alerts", Every(30.0), Queue.DEFAULT),
    "count-day-figures": _periodic("couriers.count_day_figures", Every(60.0), Queue.DEFAULT),
    "count-performance": _periodic("couriers.count_performance", Every(300.0), Queue.DEFAULT),
    "sync-tracking": _periodic("couriers.sync_tracking", Every(300.0), Queue.TRACKING),
    "purge-expired": _periodic("couriers.purge_expired", NIGHTLY, Queue.DEFAULT),
}
