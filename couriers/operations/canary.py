"""Whether a canary may go on: its figures, each with a threshold and a verdict.

Where too little is known to judge a figure, the verdict says how much more is needed, and the
canary is a no-go.
"""

from __future__ import annotations

import datetime as dt
import enum
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from couriers.operations import canary_figures as figures
from couriers.operations.canary_figures import Bookings, Callbacks, OpenDoubts, Senders, Window
from couriers.operations.canary_thresholds import Thresholds
from couriers.operations.news import News

# As monitoring/alerts.yml has them.
DOUBT_ALERT = dt.timedelta(minutes=15)
INBOX_ALERT = 60.0  # seconds for which a callback is due
SYNC_ALERT = 0.90
TOO_FAST_ALERT = 50  # answers "too fast" in TOO_FAST_MINUTES minutes: ten a minute
TOO_FAST_MINUTES = 5
# Alerts that follow from what no table has, such as counters of processes, or that say nothing of a
# courier.
NOT_JUDGED = (
    "CourierCircuitBreakerOpen",
    "CourierAuthRefreshFailures",
    "CourierWebhookProcessingFailed",
    "PlatformNotScraped",
    "GaugesNotRead",
    "DatabaseAway",
    "RedisAway",
    "QueueBehind",
    "StorefrontEndpointDisabled",
    "OutboxBehind",
    "BeatSilent",
    "DiskAlmostFull",
    "CertificateExpiring",
)


class Verdict(enum.StrEnum):
    """What a figure says about going on."""

    GO = "go"
    NO_GO = "no_go"
    NOT_ENOUGH_DATA = "not_enough_data"


@dataclass(frozen=True, slots=True)
class Check:
    """One figure. `threshold` is the name of its threshold, `limit` its value.

    `value` is None where nothing is known. `needed` says how much more must be known, "" where
    enough is.
    """

    name: str
    value: float | None
    threshold: str
    limit: float
    verdict: Verdict
    needed: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """All checks, the facts beside them, and the alerts that would have fired in the window."""

    checks: Sequence[Check]
    facts: dict[str, Any]
    alerts: Sequence[str]

    @property
    def verdict(self) -> Verdict:
        """GO where every check says so, else NO_GO."""
        is_go = all(check.verdict is Verdict.GO for check in self.checks)
        return Verdict.GO if is_go else Verdict.NO_GO


def report(window: Window, thresholds: Thresholds) -> Report:
    """Read the figures of the window and judge them."""
    bookings = figures.read_bookings(window, DOUBT_ALERT)
    doubts = figures.read_open_doubts(window)
    news = figures.read_news(window)
    senders = figures.read_senders(window)
    callbacks = figures.read_callbacks(window)
    alerts = alerts_of(bookings, doubts, news, senders, callbacks)
    hours = 0.0
    if bookings.first_at:
        hours = max(0.0, (window.until - bookings.first_at).total_seconds() / 3600)
    judge = _Judge(thresholds)
    judge.need("bookings", bookings.count, "min_bookings")
    judge.need("hours", round(hours, 2), "min_hours")
    judge.at_least("success_rate", _share(bookings.booked, bookings.ended), "min_success_rate")
    judge.at_most("booking_p95_seconds", percentile(bookings.calls, 95), "max_booking_p95")
    judge.need("callbacks", len(callbacks.applied), "min_callbacks")
    judge.at_most("callback_p95_seconds", percentile(callbacks.applied, 95), "max_callback_p95")
    judge.at_most("doubts", doubts.count, "max_doubts")
    judge.at_most("oldest_doubt_seconds", round(doubts.oldest, 1), "max_doubt_age")
    judge.at_most("doubt_share", _share(bookings.unanswered, bookings.count), "max_doubt_share")
    judge.at_most("duplicates", bookings.duplicates, "max_duplicates")
    judge.at_most("accounts_refusing_callbacks", senders.refused, "max_refused_accounts")
    judge.at_most("dead_letters", callbacks.dead, "max_dead_letters")
    judge.need("due_shipments", news.due, "min_due")
    judge.at_least("sync_rate", news.rate, "min_sync_rate")
    judge.at_most("alerts", len(alerts), "max_alerts")
    return Report(judge.checks, _facts(bookings, senders, callbacks), alerts)


class _Judge:
    """Collects the checks."""

    def __init__(self, thresholds: Thresholds) -> None:
        self._thresholds = thresholds
        self.checks: list[Check] = []

    def need(self, name: str, value: float, threshold: str) -> None:
        """There must be so much to judge by."""
        limit = getattr(self._thresholds, threshold)
        needed = "" if value >= limit else f"{limit - value:g} more"
        verdict = Verdict.NOT_ENOUGH_DATA if needed else Verdict.GO
        self.checks.append(Check(name, value, threshold, limit, verdict, needed))

    def at_least(self, name: str, value: float | None, threshold: str) -> None:
        """The value must reach the threshold."""
        self._compare(name, value, threshold, lambda known, limit: known >= limit)

    def at_most(self, name: str, value: float | None, threshold: str) -> None:
        """The value must not exceed the threshold."""
        self._compare(name, value, threshold, lambda known, limit: known <= limit)

    def _compare(
        self, name: str, value: float | None, threshold: str, fits: Callable[[float, float], bool]
    ) -> None:
        limit = getattr(self._thresholds, threshold)
        needed = ""
        if value is None:
            verdict = self._of_the_unknown(name)
            needed = "" if verdict is Verdict.GO else "at least one to measure"
        else:
            verdict = Verdict.GO if fits(value, limit) else Verdict.NO_GO
            value = round(value, 4)
        self.checks.append(Check(name, value, threshold, limit, verdict, needed))

    def _of_the_unknown(self, name: str) -> Verdict:
        """GO where the operator has said that nothing need be known, else NOT_ENOUGH_DATA."""
        least = {
            "callback_p95_seconds": self._thresholds.min_callbacks,
            "sync_rate": self._thresholds.min_due,
        }.get(name, self._thresholds.min_bookings)
        return Verdict.GO if least == 0 else Verdict.NOT_ENOUGH_DATA


def percentile(values: Sequence[float], percent: float) -> float | None:
    """Return the nearest-rank percentile of the values, None without any."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _facts(bookings: Bookings, senders: Senders, callbacks: Callbacks) -> dict[str, Any]:
    return {
        "booked": bookings.booked,
        "ended": bookings.ended,
        "statuses": dict(sorted(bookings.statuses.items())),
        "first_booking_at": bookings.first_at.isoformat() if bookings.first_at else None,
        "booking_p50_seconds": percentile(bookings.calls, 50),
        "callback_p50_seconds": percentile(callbacks.applied, 50),
        "callbacks_refused_so_far": senders.refusals,
        "bookings_are_a_sample": bookings.is_sample,
        "callbacks_are_a_sample": callbacks.is_sample,
    }


def alerts_of(
    bookings: Bookings, doubts: OpenDoubts, news: News, senders: Senders, callbacks: Callbacks
) -> list[str]:
    """Return the alerts that would have fired in the window, as far as the tables can say.

    Alerts that a courier has under its own name are those of couriers in general here.
    """
    doubt_is_old = doubts.oldest > DOUBT_ALERT.total_seconds()
    fired = {
        "BookingInDoubtTooLong": bookings.long_doubts > 0 or doubt_is_old,
        "DuplicateBooking": bookings.duplicates > 0,
        "CallbacksRefused": senders.refused_in_window > 0,
        "CallbacksSilent": senders.silent > 0,
        "InboxBehind": callbacks.longest_due > INBOX_ALERT,
        "DeadLettersGrowing": callbacks.dead > 0,
        "CourierSyncSuccessRateLow": news.rate is not None and news.rate < SYNC_ALERT,
        "CourierRateLimitExceeded": _most_in_minutes(bookings.too_fast) > TOO_FAST_ALERT,
    }
    return [name for name, has_fired in fired.items() if has_fired]


def _most_in_minutes(times: Sequence[dt.datetime]) -> int:
    """Return how many of the times lie in the fullest TOO_FAST_MINUTES minutes in a row."""
    minutes = Counter(int(at.timestamp() // 60) for at in times)
    return max(
        (sum(minutes[first + n] for n in range(TOO_FAST_MINUTES)) for first in minutes), default=0
    )
