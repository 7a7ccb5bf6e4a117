"""Polling: asking couriers about shipments that have had no new scan for some time.

Several threads work on an account, so that its rate limit decides the pace. Shipments are claimed
in batches, by the time of their last poll: two pollers never ask about the same shipment.
"""

from __future__ import annotations

import datetime as dt
import enum
import threading
import time
from collections.abc import Callable

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from couriers.conf import tunables
from couriers.contract.adapter import Capability
from couriers.contract.errors import (
    CircuitOpen,
    CourierError,
    CredentialsRefused,
    LoginUnreadable,
    NotFound,
    NotSupported,
    RateLimited,
    Rejected,
)
from couriers.contract.logs import get_logger
from couriers.contract.registry import CourierFactory
from couriers.contract.statuses import TERMINAL, UNSETTLED
from couriers.contract.types import Tracking
from couriers.models import CourierAccount, Shipment
from couriers.models.claims import DoublingPauses, back_off, claim
from couriers.resilience import waits
from couriers.resilience.database import is_outage
from couriers.resilience.threads import run_in_threads
from couriers.tracking.events import apply_tracking
from couriers.tracking.lookup import latest_tracking

log = get_logger(__name__)

BATCH = 200  # shipments claimed at once
TRIES = 3  # of one shipment in a run
PAUSES = DoublingPauses(first=1.0, longest=4.0)  # between tries, in seconds
# Errors after which no other shipment of the account can be polled either.
ACCOUNT_FAILURES = (CircuitOpen, CredentialsRefused, LoginUnreadable, NotSupported)


class Polled(enum.StrEnum):
    """How polling one shipment ended. `moved`: its status or the time of its last scan changed."""

    MOVED = "moved"
    UNCHANGED = "unchanged"
    NOT_FOUND = "not_found"
    FAILED = "failed"


def poll_cutoff(silence: float | None = None) -> dt.datetime:
    """Shipments without a scan since this time are due: `silence` seconds, or TRACKING_SILENCE."""
    seconds = tunables().TRACKING_SILENCE if silence is None else silence
    return timezone.now() - dt.timedelta(seconds=seconds)


def due_for_poll(cutoff: dt.datetime) -> QuerySet[Shipment]:
    """Shipments under way whose last scan and last poll were before the cutoff."""
    return Shipment.objects.filter(
        Q(tracked_at__lt=cutoff) | Q(tracked_at__isnull=True, created_at__lt=cutoff),
        Q(polled_at__lt=cutoff) | Q(polled_at__isnull=True),
        ~Q(tracking_id=""),
    ).exclude(status__in=[*sorted(TERMINAL), *UNSETTLED])


def accounts_to_poll(cutoff: dt.datetime) -> QuerySet[CourierAccount]:
    """The accounts with due shipments whose courier has TRACK_SHIPMENT."""
    able = [
        code
        for code in CourierFactory.codes()
        if Capability.TRACK_SHIPMENT in CourierFactory.adapter_class(code).capabilities
    ]
    ids = due_for_poll(cutoff).values("account_id")
    return CourierAccount.objects.filter(pk__in=ids, courier__in=able).order_by("pk")


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

    Waits for the rate limiter as bulk jobs do. `done` is called for each shipment, by one thread
    at a time. The run ends early when the account's circuit is open, when its login is refused
    or unreadable, and when the rate limiter's next permit would come after the end of the run.
    """
    feed = _Feed(account, cutoff, time.monotonic() + seconds)
    lock = threading.Lock()

    def work(shipment: Shipment) -> None:
        if outcome := _poll_one(account, shipment, feed):
            with lock:
                done(outcome)

    try:
        run_in_threads(feed.take, work, threads=threads, name="poll", stop=feed.stopped)
    finally:
        feed.release()
    return feed.resume_after


class _Feed:
    """Shipments to poll, claimed a batch at a time and handed to threads."""

    def __init__(self, account: CourierAccount, cutoff: dt.datetime, deadline: float) -> None:
        self._account = account
        self._cutoff = cutoff
        self._deadline = deadline
        self._claimed: list[Shipment] = []
        self._failed: list[Shipment] = []
        self.resume_after: float | None = None
        self.stopped = threading.Event()
        self._lock = threading.Lock()

    def take(self) -> Shipment | None:
        """The next shipment; None when none is left, the time is over, or the feed is stopped."""
        with self._lock:
            if self.stopped.is_set():
                return None
            if time.monotonic() >= self._deadline:
                self.resume_after = 0.0
                return None
            if not self._claimed:
                self._claimed = self._claim()
            return self._claimed.pop() if self._claimed else None

    def wait(self, seconds: float) -> bool:
        """Sleep before the next call. Returns False at once where that would exceed the time."""
        if self.stopped.is_set() or time.monotonic() + seconds >= self._deadline:
            return False
        time.sleep(seconds)
        return True

    def stop_and_give_back(self, shipment: Shipment, resume_after: float | None = None) -> None:
        """Stop the run: no shipment of the account can be polled now. The shipment stays due.

        `resume_after` is the seconds until one can be, where they are known.
        """
        self.stopped.set()
        with self._lock:
            self._claimed.append(shipment)
            self.resume_after = resume_after

    def retry_next_run(self, shipment: Shipment) -> None:
        """Make this shipment alone due again in the next run."""
        with self._lock:
            self._failed.append(shipment)

    def release(self) -> None:
        """Make the shipments due again that were claimed and not polled, or that failed.

        Those that were not polled keep their place. Those that failed come after all others that
        were due in this run: shipments that fail each time must not keep others from being polled.
        """
        for shipment in self._failed:
            shipment.polled_at = self._cutoff - dt.timedelta(microseconds=1)
        Shipment.objects.bulk_update(
            [*self._claimed, *self._failed], ["polled_at"], batch_size=BATCH
        )

    def _claim(self) -> list[Shipment]:
        due = due_for_poll(self._cutoff).filter(account=self._account)
        ordered = due.order_by(F("polled_at").asc(nulls_first=True), "pk")
        batch = claim(ordered, limit=BATCH, polled_at=timezone.now())
        return batch[::-1]  # take() pops from the end


def _poll_one(account: CourierAccount, shipment: Shipment, feed: _Feed) -> Polled | None:
    """Poll one shipment. Returns None where the rate limiter's next permit would come too late."""
    try:
        tracking = _track(account, shipment, feed)
        fresh = apply_tracking(shipment, tracking)
    except NotFound:
        log.warning("tracking_id_not_found", shipment=shipment.pk)
        return Polled.NOT_FOUND
    except RateLimited as error:
        feed.stop_and_give_back(shipment, error.retry_after or 1.0)
        return None
    except CourierError as error:
        log.warning("poll_failed", shipment=shipment.pk, error=str(error))
        if isinstance(error, ACCOUNT_FAILURES):
            feed.stop_and_give_back(shipment)
        else:
            feed.retry_next_run(shipment)
        return Polled.FAILED
    except Exception as error:
        if is_outage(error):  # the other shipments could not be updated either
            raise
        # An unexpected answer must not end the polling of the other shipments.
        log.exception("poll_failed", shipment=shipment.pk)
        feed.retry_next_run(shipment)
        return Polled.FAILED
    same = (fresh.status, fresh.tracked_at) == (shipment.status, shipment.tracked_at)
    return Polled.UNCHANGED if same else Polled.MOVED


def _track(account: CourierAccount, shipment: Shipment, feed: _Feed) -> Tracking:
    """The courier's answer. A read is repeated after an error that may end soon.

    Raises RateLimited where the rate limiter's next permit would come too late, and what the last
    of TRIES tries raised.
    """
    failures = 0
    while True:
        try:
            with waits.allow_long_waits():
                return latest_tracking(account, shipment)
        except RateLimited as error:
            if not feed.wait(error.retry_after or 1.0):
                raise
        except (Rejected, *ACCOUNT_FAILURES):
            raise
        except CourierError as error:
            failures += 1
            pause = min(back_off(failures, PAUSES, error.retry_after), waits.MAX_LONG_WAIT)
            if failures >= TRIES or not feed.wait(pause):
                raise
