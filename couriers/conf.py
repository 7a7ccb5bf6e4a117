"""The tunables: the keys of the SHIPCROWD dict in the settings, with their defaults and bounds.

A courier's plug-in declares its own tunables, under SHIPCROWD["COURIERS"][code], with the same
functions (see couriers.http.tunables). docs/settings.md lists all of them.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import secrets
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from celery import Task
from celery.schedules import crontab, schedstate, schedule
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.signals import setting_changed

T = TypeVar("T")
N = TypeVar("N", int, float)

MAX_PAGE_SIZE = 200
MAX_THREADS = 64
MAX_WEB_THREADS = 1024
MAX_DAYS = 36_500
MAX_THROTTLE = 1_000_000
# The maximum of a tunable that declares none. This many seconds from now are still a valid date.
MAX_VALUE = 1_000_000_000
_BOUNDS = "bounds"
_HIDDEN = "hidden"

# Seconds after which a worker drops the task of a sweeper that it has not started, so that they do
# not pile up while no worker runs. The worker compares it with its own clock, which may be an hour
# before the clock of the sender.
SWEEP_EXPIRES = 7200


class Queue(enum.StrEnum):
    """The queues of the tasks. A worker that is started without -Q consumes all of them."""

    INBOX = "inbox"  # callbacks, for which nobody else's work may be waited: workers of its own
    BOOKING = "booking"  # bulk work in short slices, and the leases of bookings
    TRACKING = "tracking"  # polling, and asking how accepted actions ended
    OUTBOX = "outbox"  # calls to merchants
    DEFAULT = "default"  # manifests, documents and retention


class QueuedTask(Task[Any, Any]):
    """A task that goes to its own queue, `our_queue`, whoever sends it.

    Celery's own attribute for it, `queue`, is deprecated in favour of a setting, which the project
    around the apps would have to make.
    """

    abstract = True
    our_queue = ""

    def apply_async(self, *args: Any, **options: Any) -> Any:
        """Send the task, to its own queue unless the sender names one."""
        return super().apply_async(*args, **{"queue": self.our_queue, **options})


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
    return {
        "task": task,
        "schedule": when,
        "options": {"queue": queue.value, "expires": SWEEP_EXPIRES},
    }


# The periodic tasks. A project merges them into its CELERY_BEAT_SCHEDULE.
SHIPCROWD_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "sweep-inbox": _periodic("webhooks.sweep_inbox", Every(2.0), Queue.INBOX),
    "reconcile-bookings": _periodic("couriers.reconcile_bookings", Every(30.0), Queue.BOOKING),
    "fill-reserved-ids": _periodic("couriers.fill_reserved_ids", Every(60.0), Queue.BOOKING),
    "sweep-manifests": _periodic("couriers.sweep_manifests", Every(30.0), Queue.DEFAULT),
    "fetch-documents": _periodic("couriers.fetch_documents", Every(10.0), Queue.DEFAULT),
    "sweep-jobs": _periodic("couriers.sweep_jobs", Every(30.0), Queue.BOOKING),
    "sweep-actions": _periodic("couriers.sweep_actions", Every(30.0), Queue.TRACKING),
    "sync-tracking": _periodic("couriers.sync_tracking", Every(300.0), Queue.TRACKING),
    # 3:00 in India where CELERY_TIMEZONE is UTC, which is Celery's default.
    "purge-expired": _periodic(
        "couriers.purge_expired", crontab(minute=30, hour=21), Queue.DEFAULT
    ),
}
# Of every task, whatever the project's own settings of Celery are: nobody reads results, and the
# task of a worker that died is sent again.
TASK_OPTIONS: dict[str, Any] = {
    "base": QueuedTask,
    "acks_late": True,
    "reject_on_worker_lost": True,
    "ignore_result": True,
    # Seconds. A limit of the project's own would kill a worker in the middle of a call, which puts
    # a booking in doubt. The longest task ends by itself after two minutes.
    "soft_time_limit": 880,
    "time_limit": 900,
}


def bounded(default: N, *, minimum: float, maximum: float = MAX_VALUE) -> N:
    """Declare a numeric tunable with its default and bounds. Without this, the minimum is 0."""
    field: N = dataclasses.field(default=default, metadata={_BOUNDS: (minimum, maximum)})
    return field


def hidden_text() -> str:
    """Declare a secret text. A wrong value is not shown, and nobody can guess what replaces it."""
    field: str = dataclasses.field(default="", metadata={_HIDDEN: True})
    return field


@dataclass(frozen=True, slots=True)
class Tunables:
    """The keys of SHIPCROWD. Times are seconds unless the name says days."""

    # The public address of the project's root, which couriers, consignees and clients are told. It
    # has a path where the project is served below one (SCRIPT_NAME).
    BASE_URL: str = ""
    # The bearer token for /metrics; without one it is closed, except in development.
    METRICS_TOKEN: str = hidden_text()
    # Whether this is a machine for development, as with DEBUG: see in_development.
    DEVELOPMENT: bool = False
    # Whether a courier's server may be in a private network.
    ALLOW_PRIVATE_COURIERS: bool = False
    # The alias in CACHES of the Redis that all processes share.
    CACHE: str = "default"
    # How long a booking may be in flight before it is in doubt. It must be longer than every
    # adapter's max_create_seconds: nothing is sent in a lease's last max_create_seconds.
    BOOKING_LEASE: float = 150.0
    # How many unused numbers are kept for an account whose courier reserves numbers: below it,
    # batches are fetched up to twice as many. And for how long the courier may refuse a new one.
    RESERVED_IDS_AHEAD: int = bounded(100, minimum=1, maximum=100_000)
    RESERVED_ID_AGE: float = 600.0
    # How long an API request waits in sum before it answers 503: for the rate limiter, for another
    # request's token, and before a retry.
    API_LIMITER_WAIT: float = 2.0
    # The threads of a process of the web server. Calls of one account take at most half of them.
    WEB_THREADS: int = bounded(64, minimum=1, maximum=MAX_WEB_THREADS)
    # How long a warehouse that a courier refused to register is not registered again.
    REGISTRATION_RETRY: float = 3600.0
    # Consecutive infrastructure failures that open a circuit, and how long it stays open.
    BREAKER_FAILURES: int = bounded(5, minimum=1)
    BREAKER_COOLDOWN: float = 60.0
    # The largest callback that is read, in bytes, and how long a process caches an account.
    WEBHOOK_MAX_BYTES: int = bounded(65536, minimum=1)
    WEBHOOK_ACCOUNT_CACHE: float = 10.0
    # How long the previous webhook secret is valid after it was replaced. A rotation, which has the
    # courier sign with the new one, must be over by then.
    WEBHOOK_PREVIOUS_SECRET_SECONDS: float = bounded(86400.0, minimum=600)
    # How many callbacks a worker takes at once, and how long a callback waits for its shipment.
    INBOX_BATCH: int = bounded(500, minimum=1)
    INBOX_EARLY_EVENT_WAIT: float = 86400.0
    # Shipments on one page, and orders in one request to shipments/bulk/.
    PAGE_SIZE: int = bounded(50, minimum=1, maximum=MAX_PAGE_SIZE)
    BULK_MAX_ORDERS: int = bounded(1000, minimum=1)
    # How long a worker books for one company before it serves the next, and how many of a company's
    # bulk jobs may be open at once.
    BULK_SLICE: float = bounded(3.0, minimum=0.1, maximum=60)
    BULK_MAX_OPEN_JOBS: int = bounded(20, minimum=1)
    # The lease of an order of a bulk job, and how many orders of one job a worker books at once.
    BULK_LEASE: float = 200.0
    BULK_THREADS: int = bounded(4, minimum=1, maximum=MAX_THREADS)
    # The lease of a chunk of a manifest, the back-off after a failure (doubled each time, up to the
    # longest), and the failures after which a chunk is given up.
    MANIFEST_LEASE: float = 120.0
    MANIFEST_BACKOFF: float = 5.0
    MANIFEST_LONGEST_BACKOFF: float = 600.0
    MANIFEST_FAILURES: int = bounded(12, minimum=1)
    # How long an action on a shipment may be under way before it is unknown how it ended.
    ACTION_LEASE: float = 150.0
    # How many days an accepted action is asked about, after it was asked for or after its day.
    ACTION_LIMIT_DAYS: int = bounded(7, minimum=1, maximum=MAX_DAYS)
    # The lease of a document that came with a booking and is being fetched, the back-off after a
    # failure (doubled each time, up to the longest), and the failures after which it is given up.
    DOCUMENT_LEASE: float = 120.0
    DOCUMENT_BACKOFF: float = 5.0
    DOCUMENT_LONGEST_BACKOFF: float = 3600.0
    DOCUMENT_FAILURES: int = bounded(12, minimum=1)
    # The dotted path of the policy that computes a merchant's price from a courier's quote, and how
    # long a quote is cached.
    PRICING: str = "couriers.rates.pricing.company_price"
    QUOTE_CACHE: float = 300.0
    # How long a loaded list of pincodes is used.
    SERVICEABILITY_FRESH_DAYS: int = bounded(7, minimum=0, maximum=MAX_DAYS)
    # The alias in STORAGES of the storage that keeps documents, such as labels.
    STORAGE: str = "default"
    # The largest label or other document that is stored, in bytes.
    LABEL_MAX_BYTES: int = bounded(10485760, minimum=1)
    # A shipment is polled after this time without news, and again after the same time.
    TRACKING_SILENCE: float = 14400.0
    TRACKING_THREADS: int = bounded(8, minimum=1, maximum=MAX_THREADS)
    # How long rows are kept.
    RETENTION_KEYS_DAYS: int = bounded(30, minimum=1, maximum=MAX_DAYS)
    RETENTION_EVENTS_DAYS: int = bounded(90, minimum=1, maximum=MAX_DAYS)
    RETENTION_CALLS_DAYS: int = bounded(30, minimum=1, maximum=MAX_DAYS)
    # How long after the end of a shipment its consignee, free texts and labels are kept.
    RETENTION_CONSIGNEE_DAYS: int = bounded(400, minimum=1, maximum=MAX_DAYS)
    # How many expired rows are deleted at once, and the pause after each batch.
    RETENTION_BATCH: int = bounded(1000, minimum=1)
    RETENTION_PAUSE: float = 0.05
    # How many proxies of the project's own a request passes, each of which adds the address that it
    # saw to X-Forwarded-For. With 0 the header is not read.
    PROXIES: int = bounded(0, minimum=0, maximum=10)
    # Requests a minute, which may all come at once; 0 is no limit. Wrong keys, refused callbacks
    # and tracking pages are counted by address.
    THROTTLE_KEY: int = bounded(6000, minimum=0, maximum=MAX_THROTTLE)
    THROTTLE_COMPANY: int = bounded(12_000, minimum=0, maximum=MAX_THROTTLE)
    THROTTLE_ADDRESS: int = bounded(12_000, minimum=0, maximum=MAX_THROTTLE)
    THROTTLE_WRONG_KEYS: int = bounded(60, minimum=0, maximum=MAX_THROTTLE)
    THROTTLE_REFUSED_CALLBACKS: int = bounded(600, minimum=0, maximum=MAX_THROTTLE)
    THROTTLE_TRACKING_PAGE: int = bounded(600, minimum=0, maximum=MAX_THROTTLE)
    # A plug-in's own tunables, by the courier's code.
    COURIERS: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TunableProblem:
    """A problem of a dict of tunables. `key` is "" where the value is not a dict."""

    key: str
    message: str
    is_unknown_key: bool = False


def tunable_problems(kind: type, given: Any) -> list[TunableProblem]:
    """Check a dict of tunables against the dataclass `kind`; return every problem."""
    if not isinstance(given, dict):
        return [TunableProblem("", f"must be a dict, not {type(given).__name__}")]
    defaults = kind()
    fields = {field.name: field for field in dataclasses.fields(kind)}
    known = ", ".join(sorted(fields))
    problems = []
    for key, value in given.items():
        if key not in fields:
            unknown = f"is not a setting (known: {known})"
            problems.append(TunableProblem(str(key), unknown, is_unknown_key=True))
        elif message := _value_problem(fields[key], getattr(defaults, key), value):
            problems.append(TunableProblem(key, message))
    return problems


def _value_problem(field: dataclasses.Field[Any], default: Any, value: Any) -> str | None:
    """Return why a tunable may not have the value, or None."""
    is_number = isinstance(default, (int, float)) and not isinstance(default, bool)
    kind = (int, float) if isinstance(default, float) else type(default)
    if field.metadata.get(_HIDDEN) and not isinstance(value, str):
        return f"must be a text, not {type(value).__name__}"
    if not isinstance(value, kind) or (is_number and isinstance(value, bool)):
        return f"must be like {default!r}, not {value!r}"
    minimum, maximum = field.metadata.get(_BOUNDS, (0, MAX_VALUE))
    if is_number and not minimum <= value <= maximum:
        return f"must be {minimum} to {maximum}, not {value!r}"
    return None


def tunable_errors(kind: type, given: Any, where: str, prefix: str) -> list[CheckMessage]:
    """Check a dict of tunables, of the core or of a plug-in; return the system check's errors.

    `where` names the dict in the messages. An unknown key is `prefix`.E001, a wrong value E002.
    """
    errors: list[CheckMessage] = []
    for problem in tunable_problems(kind, given):
        name = f"{where}[{problem.key!r}]" if problem.key else where
        if problem.is_unknown_key:
            number, hint = "E001", "Remove it or correct its spelling."
        else:
            number = "E002"
            hint = "Leave it out for the default; docs/settings.md lists what each means."
        errors.append(Error(f"{name} {problem.message}", hint=hint, id=f"{prefix}.{number}"))
    return errors


def build_tunables(kind: type[T], given: Any) -> T:
    """Return the tunables `kind` with the given values.

    Wrong values are left out, and the system checks report them.
    """
    if not isinstance(given, dict):
        return kind()
    wrong = {problem.key for problem in tunable_problems(kind, given)}
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unguessable = {
        key: secrets.token_urlsafe()
        for key in wrong
        if key in fields and fields[key].metadata.get(_HIDDEN)
    }
    right = {key: value for key, value in given.items() if str(key) not in wrong}
    return kind(**right, **unguessable)


@lru_cache(maxsize=1)
def tunables() -> Tunables:
    """Return the platform's tunables."""
    return build_tunables(Tunables, getattr(settings, "SHIPCROWD", {}))


# By courier and class: the plug-in's tunables.
_of_couriers: dict[tuple[str, type], Any] = {}


def courier_tunables(code: str, kind: type[T]) -> T:
    """Return a courier's tunables, SHIPCROWD["COURIERS"][code], as the dataclass `kind`."""
    key = (code, kind)
    if key not in _of_couriers:
        _of_couriers[key] = build_tunables(kind, tunables().COURIERS.get(code, {}))
    found: T = _of_couriers[key]
    return found


def in_development() -> bool:
    """Whether this installation is for development: by DEBUG, or by DEVELOPMENT.

    Then a courier's server may be on this machine, over http too, and /metrics needs no token.
    """
    return bool(settings.DEBUG) or tunables().DEVELOPMENT


def _clear_cached_tunables(*, setting: str, **_: Any) -> None:
    """Have `tunables` read the settings again after a test has changed them."""
    if setting == "SHIPCROWD":
        tunables.cache_clear()
        _of_couriers.clear()


setting_changed.connect(_clear_cached_tunables)
