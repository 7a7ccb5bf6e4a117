"""Asking couriers about shipments that nothing was heard of.

Several threads keep the account's limiter busy, so that it is the limit that decides the pace.
Shipments are claimed in batches: two pollers never ask about the same one.
"""

from __future__ import annotations

import datetime as dt
import enum
import threading
import time
from collections.abc import Callable

import structlog
from django.db import InterfaceError, OperationalError
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from couriers.conf import tunables
from couriers.contract.adapter import Capability
from couriers.contract.errors import (
    CircuitOpen,
    CourierError,
    CredentialsRefused,
    NotFound,
    NotSupported,
    RateLimited,
    Rejected,
)
from couriers.contract.registry import CourierFactory
from couriers.contract.statuses import TERMINAL, UNSETTLED
from couriers.contract.types import Tracking
from couriers.models import CourierAccount, Shipment
from couriers.models.claims import Doubling, back_off, claim
from couriers.resilience import rate_limit
from couriers.resilience.threads import work_off
from couriers.tracking.events import apply_tracking
from couriers.tracking.lookup import latest_tracking

log = structlog.get_logger(__name__)

BATCH = 200
TRIES = 3
PAUSES = Doubling(first=1.0, longest=4.0)


class Polled(enum.StrEnum):
    """What became of asking about a shipment."""

    MOVED = "moved"
    UNCHANGED = "unchanged"
    NOT_FOUND = "not_found"
    FAILED = "failed"


def silence_began(silence: float | None = None) -> dt.datetime:
    """Before when there must have been news: so many seconds ago, TRACKING_SILENCE if None."""
    seconds = tunables().TRACKING_SILENCE if silence is None else silence
    return timezone.now() - dt.timedelta(seconds=seconds)


def silent(since: dt.datetime) -> QuerySet[Shipment]:
    """Shipments under way that there is no news of, and that nobody asked about, since then."""
    return Shipment.objects.filter(
        Q(tracked_at__lt=since) | Q(tracked_at__isnull=True, created_at__lt=since),
        Q(polled_at__lt=since) | Q(polled_at__isnull=True),
        ~Q(tracking_id=""),
    ).exclude(status__in=[*sorted(TERMINAL), *UNSETTLED])


def accounts_to_poll(since: dt.datetime) -> QuerySet[CourierAccount]:
    """The accounts that have such shipments, where their courier can be asked."""
    able = [
        code
        for code in CourierFactory.codes()
        if Capability.TRACK_SHIPMENT in CourierFactory.adapter_class(code).capabilities
    ]
    ids = silent(since).values("account_id")
    return CourierAccount.objects.filter(pk__in=ids, courier__in=able).order_by("pk")


def poll(
    account: CourierAccount,
    *,
    since: dt.datetime,
    threads: int,
    seconds: float = float("inf"),
    done: Callable[[Polled], None] = lambda _: None,
) -> None:
    """Ask about the account's silent shipments until none is left or the time is over.

    Waits for the limiter as bulk work does. `done` is told of each, from one thread at a time.
    An account whose circuit is open, or whose login is refused, is left alone at once; so is one
    whose next turn comes when the time is over.
    """
    feed = _Feed(account, since, time.monotonic() + seconds)
    lock = threading.Lock()

    def work(shipment: Shipment) -> None:
        if outcome := _ask(account, shipment, feed):
            with lock:
                done(outcome)

    try:
        work_off(feed.take, work, threads=threads, name="poll", stop=feed.stopped)
    finally:
        feed.release()


class _Feed:
    """Shipments to ask about, claimed a batch at a time and handed to threads."""

    def __init__(self, account: CourierAccount, since: dt.datetime, deadline: float) -> None:
        self._account = account
        self._since = since
        self._deadline = deadline
        self._claimed: list[Shipment] = []
        self._failed: list[Shipment] = []
        self.stopped = threading.Event()
        self._lock = threading.Lock()

    def take(self) -> Shipment | None:
        """The next shipment, or None when there is none or the feed was stopped."""
        with self._lock:
            if self.stopped.is_set() or time.monotonic() >= self._deadline:
                return None
            if not self._claimed:
                self._claimed = self._claim()
            return self._claimed.pop() if self._claimed else None

    def wait(self, seconds: float) -> bool:
        """Sleep that long before the next call; answers False at once where no time is left."""
        if self.stopped.is_set() or time.monotonic() + seconds >= self._deadline:
            return False
        time.sleep(seconds)
        return True

    def give_back(self, shipment: Shipment) -> None:
        """It could not be asked about, through no fault of its own, and no other could: stop."""
        self.stopped.set()
        with self._lock:
            self._claimed.append(shipment)

    def ask_again_later(self, shipment: Shipment) -> None:
        """Nothing was learnt of it: it is due again at the next run, not in this one."""
        with self._lock:
            self._failed.append(shipment)

    def release(self) -> None:
        """Give back what was claimed and not told about.

        What was not asked about keeps its turn. What failed comes after all that was due in this
        run: a few that fail each time must not keep the others from being asked.
        """
        for shipment in self._failed:
            shipment.polled_at = self._since - dt.timedelta(microseconds=1)
        Shipment.objects.bulk_update(
            [*self._claimed, *self._failed], ["polled_at"], batch_size=BATCH
        )

    def _claim(self) -> list[Shipment]:
        silence = silent(self._since).filter(account=self._account)
        ordered = silence.order_by(F("polled_at").asc(nulls_first=True), "pk")
        return claim(ordered, limit=BATCH, polled_at=timezone.now())[::-1]


def _ask(account: CourierAccount, shipment: Shipment, feed: _Feed) -> Polled | None:
    """Ask about one shipment; None where its turn would come when the time is over."""
    try:
        tracking = _track(account, shipment, feed)
        fresh = apply_tracking(shipment, tracking)
    except NotFound:
        log.warning("tracking_id_not_found", shipment=shipment.pk)
        return Polled.NOT_FOUND
    except RateLimited:
        feed.give_back(shipment)
        return None
    except CourierError as error:
        log.warning("poll_failed", shipment=shipment.pk, error=str(error))
        if isinstance(error, (CircuitOpen, CredentialsRefused, NotSupported)):
            feed.give_back(shipment)
        else:
            feed.ask_again_later(shipment)
        return Polled.FAILED
    except (OperationalError, InterfaceError):
        # The database itself: nothing could be written of the others either.
        raise
    except Exception:
        # One odd answer must not end the others' polling.
        log.exception("poll_failed", shipment=shipment.pk)
        feed.ask_again_later(shipment)
        return Polled.FAILED
    same = (fresh.status, fresh.tracked_at) == (shipment.status, shipment.tracked_at)
    return Polled.UNCHANGED if same else Polled.MOVED


def _track(account: CourierAccount, shipment: Shipment, feed: _Feed) -> Tracking:
    """The courier's answer; a read may be repeated after any failure that is no refusal.

    Raises RateLimited when the next turn would come after the run's time.
    """
    failures = 0
    while True:
        try:
            with rate_limit.patience():
                return latest_tracking(account, shipment)
        except RateLimited as error:
            if not feed.wait(error.retry_after or 1.0):
                raise
        except (Rejected, CircuitOpen):
            raise
        except CourierError as error:
            failures += 1
            pause = min(back_off(failures, PAUSES, error.retry_after), rate_limit.PATIENCE)
            if failures >= TRIES or not feed.wait(pause):
                raise
