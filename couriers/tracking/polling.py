"""Polling: asking couriers about shipments that have had no new scan for some time.

Several threads work on an account, so that its rate limit decides the pace. Shipments are claimed
the longest due first, and asked about in the courier's batch size.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from couriers.conf import tunables
from couriers.contract.adapter import Capability
from couriers.contract.registry import CourierFactory
from couriers.contract.statuses import UNDER_WAY
from couriers.models import CourierAccount, Shipment
from couriers.models.shipment import LAST_CONTACT
from couriers.resilience.threads import run_in_threads
from couriers.tracking.earlier_polling import due_parcels, poll_parcels
from couriers.tracking.poll_feed import Feed
from couriers.tracking.poller import Polled, Poller, batch_size

__all__ = ["Polled", "accounts_to_poll", "due_for_poll", "poll", "poll_cutoff"]


def poll_cutoff(silence: float | None = None) -> dt.datetime:
    """Shipments without a scan since this time are due: `silence` seconds, or TRACKING_SILENCE."""
    seconds = tunables().TRACKING_SILENCE if silence is None else silence
    return timezone.now() - dt.timedelta(seconds=seconds)


def due_for_poll(cutoff: dt.datetime) -> QuerySet[Shipment]:
    """Shipments under way whose last scan and last poll were before the cutoff.

    The longest due comes first. An index has an account's shipments in this order.
    """
    return (
        Shipment.objects.filter(status__in=sorted(UNDER_WAY))
        .alias(last_contact=LAST_CONTACT)
        .filter(last_contact__lt=cutoff)
        .order_by("last_contact", "pk")
    )


def accounts_to_poll(cutoff: dt.datetime) -> QuerySet[CourierAccount]:
    """The accounts with due shipments, or earlier couriers' parcels, that can be asked about."""
    asked_by = {Capability.TRACK_SHIPMENT, Capability.TRACK_SHIPMENTS}
    able = [
        code
        for code in CourierFactory.codes()
        if asked_by & CourierFactory.adapter_class(code).capabilities
    ]
    due = due_for_poll(cutoff).filter(account=OuterRef("pk"))
    parcels = due_parcels(cutoff).filter(account=OuterRef("pk"))
    accounts = CourierAccount.objects.filter(Q(Exists(due)) | Q(Exists(parcels)))
    return accounts.filter(courier__in=able).order_by("pk")


def poll(
    account: CourierAccount,
    *,
    cutoff: dt.datetime,
    threads: int,
    seconds: float = float("inf"),
    done: Callable[[Polled], None] = lambda _: None,
) -> float | None:
    """Poll the account's due shipments until none is left or `seconds` are over.

    Returns the seconds after which the rest may be polled, 0 for at once, or None where none is
    left or the account cannot be polled now.

    Waits for the rate limiter as bulk jobs do. Parcels of the courier's that another one was asked
    for since come first. `done` is called for each shipment, by one thread at a time. The run ends
    early when the account's circuit is open, when its login is refused or unreadable, and when the
    rate limiter's next permit would come after the end of the run.
    """
    deadline = time.monotonic() + seconds
    poll_parcels(account, cutoff=cutoff, deadline=deadline)
    feed = Feed(
        lambda: due_for_poll(cutoff).filter(account=account),
        size=batch_size(account.courier_id),
        cutoff=cutoff,
        deadline=deadline,
    )
    lock = threading.Lock()

    def done_by_one(outcome: Polled) -> None:
        with lock:
            done(outcome)

    poller = Poller(account, feed, done_by_one)
    try:
        run_in_threads(feed.take, poller.poll, threads=threads, name="poll", stop=feed.stopped)
    finally:
        feed.release()
    return feed.resume_after
