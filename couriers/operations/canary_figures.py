"""The figures of a canary: what became of the bookings of some companies in a time.

Everything is read by an index: bookings by company and id, what belongs to them by their ids, open
doubts by company and status, shipments under way by account. Of each account at most MAX_BOOKINGS
are read, the newest, so the time is bounded whatever the size of the tables.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from django.db.models import Q
from django.utils import timezone

from couriers.contract.statuses import UNSETTLED, Status
from couriers.models import (
    CallbackTally,
    CourierAccount,
    CourierCall,
    Shipment,
    ShipmentFlag,
)
from couriers.models.call import Outcome
from couriers.models.flag import TWO_PARCELS
from couriers.models.ids import first_shipment_id
from couriers.operations.news import News, news_by, silent_accounts

MAX_BOOKINGS = 20_000  # of each account
CHUNK = 1000  # bookings whose calls and flags are read by one statement
MAX_DOUBTS = 10_000
CREATE_CALLS = ("create_shipment", "create_reverse_shipment")


@dataclass(frozen=True, slots=True)
class Window:
    """Which bookings are looked at: those of these accounts from `since` until `until`."""

    accounts: Sequence[CourierAccount]
    since: dt.datetime
    until: dt.datetime

    @property
    def account_ids(self) -> list[str]:
        """The ids of the accounts."""
        return [account.pk for account in self.accounts]


@dataclass(slots=True)
class Bookings:
    """What became of the bookings. `statuses` counts them by status; durations are in seconds.

    `first_at` is the time of the first one, which a sample need not have. `unanswered` are those of
    which a create call had no answer, so that they were in doubt or are. `long_doubts` counts those
    that were it for longer than the alert's time. `duplicates` counts the flags that say that an
    order has two parcels, cleared ones too. `too_fast` has the time of each answer that the courier
    was asked too fast.
    """

    statuses: Counter[str] = field(default_factory=Counter)
    first_at: dt.datetime | None = None
    calls: list[float] = field(default_factory=list)
    unanswered: int = 0
    long_doubts: int = 0
    duplicates: int = 0
    too_fast: list[dt.datetime] = field(default_factory=list)
    is_sample: bool = False

    @property
    def count(self) -> int:
        """How many bookings were asked for."""
        return self.statuses.total()

    @property
    def ended(self) -> int:
        """How many of them are surely booked or surely not."""
        return self.count - sum(self.statuses[status] for status in UNSETTLED)

    @property
    def booked(self) -> int:
        """How many of them the courier has."""
        return self.ended - self.statuses[Status.FAILED]


def read_bookings(window: Window, alert_age: dt.timedelta) -> Bookings:
    """Read the bookings of the window, with their calls and flags.

    A doubt counts as long after `alert_age`.
    """
    found = Bookings()
    for account in window.accounts:
        asked_for = Shipment.objects.filter(
            company_id=account.company_id,
            account=account,
            pk__gte=first_shipment_id(window.since),
            pk__lt=first_shipment_id(window.until),
        ).only("status", "created_at", "booked_at", "status_at")
        rows = list(asked_for.order_by("-pk")[: MAX_BOOKINGS + 1])
        found.is_sample |= len(rows) > MAX_BOOKINGS
        if first := asked_for.order_by("pk").first():
            found.first_at = min(first.created_at, found.first_at or first.created_at)
        for chunk in _chunks(rows[:MAX_BOOKINGS]):
            _add(found, chunk, window.until, alert_age)
    return found


def _chunks(rows: Sequence[Shipment]) -> Iterator[Sequence[Shipment]]:
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]


def _add(
    found: Bookings, rows: Sequence[Shipment], now: dt.datetime, alert_age: dt.timedelta
) -> None:
    found.statuses.update(row.status for row in rows)
    by_id = {row.pk: row for row in rows}
    unanswered: dict[str, dt.datetime] = {}
    calls = CourierCall.objects.filter(shipment_id__in=list(by_id), operation__in=CREATE_CALLS)
    columns = ("shipment_id", "outcome", "http_status", "started_at", "finished_at")
    for pk, outcome, status, started, finished in calls.order_by("pk").values_list(*columns):
        if status == 429:
            found.too_fast.append(finished)
        if outcome == Outcome.UNKNOWN:
            unanswered.setdefault(pk, finished)
        if finished is not None and outcome != Outcome.NOT_SENT:
            found.calls.append((finished - started).total_seconds())
    found.unanswered += len(unanswered)
    for pk, since in unanswered.items():
        row = by_id[pk]
        is_open = row.status in UNSETTLED
        ended = now if is_open else row.booked_at or row.status_at or since
        found.long_doubts += ended - since > alert_age
    flags = ShipmentFlag.objects.filter(shipment_id__in=list(by_id), kind__in=TWO_PARCELS)
    found.duplicates += flags.count()


@dataclass(frozen=True, slots=True)
class OpenDoubts:
    """The bookings that are in doubt now, whenever they were made; the age is in seconds."""

    count: int
    oldest: float


def read_open_doubts(window: Window) -> OpenDoubts:
    """Read the accounts' doubts. A booking whose lease has run out is one already."""
    now = timezone.now()
    companies = {account.company_id for account in window.accounts}
    doubts = Shipment.objects.filter(
        Q(status=Status.IN_DOUBT) | Q(status=Status.BOOKING, lease_expires_at__lt=now),
        company__in=companies,
        account__in=window.account_ids,
    ).order_by()
    times = list(doubts.values_list("created_at", flat=True)[:MAX_DOUBTS])
    oldest = (now - min(times)).total_seconds() if times else 0.0
    return OpenDoubts(len(times), oldest)


def read_news(window: Window) -> News:
    """Read how current the tracking of the accounts' shipments is."""
    found = news_by("account_id", account__in=window.account_ids).values()
    return News(sum(news.due for news in found), sum(news.fresh for news in found))


@dataclass(frozen=True, slots=True)
class Senders:
    """The accounts by what the courier sends for them.

    `refused` counts those whose last callback was refused, `refused_in_window` those of which one
    was in the window, `silent` those that should have had a callback and have not. `refusals` is
    how many callbacks were refused since the accounts exist: no table has that by time.
    """

    refused: int
    refused_in_window: int
    silent: int
    refusals: int


def read_senders(window: Window) -> Senders:
    """Read the tallies of the accounts' callbacks."""
    tallies = list(CallbackTally.objects.filter(account__in=window.account_ids))
    since = window.since
    return Senders(
        refused=sum(tally.is_refused for tally in tallies),
        refused_in_window=sum(bool(t.refused_at and t.refused_at >= since) for t in tallies),
        silent=silent_accounts().filter(pk__in=window.account_ids).count(),
        refusals=sum(tally.refused_count for tally in tallies),
    )


@dataclass(frozen=True, slots=True)
class Callbacks:
    """What became of the callbacks of a window; times are in seconds.

    `applied` has the time of each from its receipt until it was applied. `longest_due` is for how
    long one was due before it was first looked at, or has been due now. `is_sample` where not all
    were read.
    """

    applied: Sequence[float] = ()
    dead: int = 0
    longest_due: float = 0.0
    is_sample: bool = False


ReadCallbacks = Callable[[Window], Callbacks]
_readers: list[ReadCallbacks] = []


def register(reader: ReadCallbacks) -> None:
    """Have `reader` read the callbacks. The app that stores them calls it in `ready()`."""
    if reader not in _readers:
        _readers.append(reader)


def read_callbacks(window: Window) -> Callbacks:
    """Read the callbacks of the window from the app that stores them."""
    found = [reader(window) for reader in _readers]
    return Callbacks(
        applied=[seconds for one in found for seconds in one.applied],
        dead=sum(one.dead for one in found),
        longest_due=max((one.longest_due for one in found), default=0.0),
        is_sample=any(one.is_sample for one in found),
    )
