"""Health checks: whether the process is alive, and whether it can work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from functools import partial
from typing import Generic, TypeVar

from django.contrib.auth.decorators import login_not_required
from django.db import Error, connection, transaction
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache

from couriers.contract.content_policy import nothing, with_policy
from couriers.contract.log_samples import Sampler
from couriers.contract.logs import get_logger
from couriers.operations.key_rotation import can_read_accounts
from couriers.operations.migrations_state import unapplied_migrations
from couriers.resilience import broker
from couriers.resilience.database import RETRY_AFTER, Outage, leave_connection, outage_of
from couriers.resilience.hanging_database import answered_within
from couriers.resilience.shared import RedisUnavailable, with_redis

log = get_logger(__name__)

CHECK_EVERY = 5.0  # seconds between two checks of one process, of those that cost something
ANSWER_WITHIN = 2.0  # seconds for the whole answer
PATIENCE = 0.8  # seconds for a connection
LEAST_PATIENCE = 0.4  # seconds for a statement, however long the ones before took
QUIET = 60.0  # seconds in which a process logs one cause once
# More than fits into the least work_mem, so that PostgreSQL writes it to a file of its own.
_SPILLED_ROWS = 5000

_OURS = "shipcrowd"
T = TypeVar("T")

_READ_ONLY = "SELECT current_setting('transaction_read_only')::bool OR pg_is_in_recovery()"
_SPILL = f"SELECT count(*) FROM generate_series(1, {_SPILLED_ROWS})"  # noqa: S608 - a constant


@transaction.non_atomic_requests
@login_not_required
@never_cache
@with_policy(nothing)
def healthz(request: HttpRequest) -> JsonResponse:
    """GET /healthz: 200 while the process answers."""
    return JsonResponse({"status": "ok"})


@transaction.non_atomic_requests
@login_not_required
@never_cache
@with_policy(nothing)
def readyz(request: HttpRequest) -> JsonResponse:
    """GET /readyz: 503 where bookings cannot be stored, 200 with `degraded` where a part is away.

    `down` names what does not work, `degraded` what works in part, and `reason` says what ails
    PostgreSQL. It is 503 without a PostgreSQL that can write, with migrations that are not applied,
    and with FERNET_KEYS that open nothing. Without Redis each process limits its calls by itself,
    and without the broker the sweepers find the work, so both are `degraded`; and so is a
    PostgreSQL that serves kept connections and refuses new ones.

    It answers within about two seconds, whatever hangs.
    """
    ends = time.monotonic() + ANSWER_WITHIN
    _broker.begin()
    _new_connections.begin()
    try:
        reason = _connection_problem() or _within(ends, _database_problem)
        down = [] if reason else _within(ends, _unusable)
    except Error as error:
        reason, down = outage_of(error) or Outage.GONE, []
        leave_connection(error)
    if reason is not None:
        return _unavailable("postgresql", reason=reason.value)
    if down:
        return _unavailable(*down)
    found: dict[str, object] = {}
    if away := [*_redis_down(), *_broker.answer(ends)]:
        found["down"] = away
    if refused := _new_connections.answer(ends):
        found |= {"degraded": ["postgresql"], "reason": refused.value}
    return JsonResponse({"status": "degraded" if found else "ok", **found})


def _connection_problem() -> Outage | None:
    """Return why the thread has no connection and can get none.

    Another thread tries to open one first, for which this one need not wait to the end.
    """
    with answered_within(PATIENCE):
        connection.close_if_health_check_failed()  # as Django does before the first statement
    if connection.connection is not None:
        return None
    _new_connections.begin(at_once=True)
    return _new_connections.answer(time.monotonic() + PATIENCE)


def _within(ends: float, check: Callable[[], T]) -> T:
    """Return the check's answer. Raises Error if PostgreSQL gives none before `ends`."""
    connection.ensure_connection()
    with answered_within(max(ends - time.monotonic(), LEAST_PATIENCE)):
        return check()


def _database_problem() -> Outage | None:
    """Return why PostgreSQL takes no writes. Raises Error where it does not answer at all."""
    with connection.cursor() as cursor:
        cursor.execute(_READ_ONLY)
        if cursor.fetchone()[0]:
            if not connection.in_atomic_block:
                connection.close()  # a new connection may be writable again
            return Outage.READ_ONLY
    return _disk.answer()


def _unusable() -> list[str]:
    """Return what is wrong with what PostgreSQL holds: its tables, or the keys to them."""
    wrong = ["migrations"] if _migrations.answer() else []
    # Without its tables nothing can be read.
    return wrong or ([] if can_read_accounts() else ["fernet_keys"])


def _redis_down() -> list[str]:
    try:
        with_redis(lambda redis: redis.ping())
    except RedisUnavailable:
        return ["redis"]
    return []


def _broker_down() -> list[str]:
    return [] if broker.is_reachable() else ["broker"]


def _missing_migrations() -> list[str]:
    """Return the migrations of our apps that are not applied; a host's are its own matter."""
    missing = [f"{app}.{name}" for app, name in unapplied_migrations() if app.startswith(_OURS)]
    if missing:
        log.error("migrations_not_applied", missing=missing)
    return missing


def _refusal_of_connections() -> Outage | None:
    """Return why PostgreSQL refuses a new connection, which the next thread may need."""
    fresh = connection.copy()
    try:
        fresh.ensure_connection()
    except Error as error:
        outage = outage_of(error) or Outage.GONE
        if count := _sampler.due(outage, QUIET):
            log.error("new_connections_refused", reason=outage.value, count=count)
        return outage
    finally:
        fresh.close()
    return None


def _disk_problem() -> Outage | None:
    """Have PostgreSQL write files, and return what is full. Raises Error where it does not answer.

    A query that spills to a file shows it: unlike a row that is inserted and rolled back, it always
    needs new blocks, and it leaves neither a dead row nor a record in the write-ahead log. Where
    temporary files have a tablespace of their own, a second file is written to that of the tables.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL work_mem = '64kB'")
            cursor.execute(_SPILL)
            cursor.execute("SELECT current_setting('temp_tablespaces')")
            if cursor.fetchone()[0]:
                cursor.execute("SET LOCAL temp_tablespaces = ''")
                cursor.execute(_SPILL)
    except Error as error:
        outage = outage_of(error)
        # A role's temp_file_limit refuses the file as well, and says nothing of the disk.
        if outage is Outage.OUT_OF_RESOURCES:
            return None
        if outage is not Outage.OUT_OF_DISK:
            raise
        return outage
    return None


class _Periodic(Generic[T]):
    """The answer of a check that is made at most every CHECK_EVERY seconds by a process.

    A check that raises is made again at the next time.
    """

    def __init__(self, check: Callable[[], T]) -> None:
        self._check = check
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Have the check made at the next time."""
        self._checked_at = float("-inf")  # on the monotonic clock

    def answer(self) -> T:
        """Return the answer of the last check, or of one that is made now."""
        with self._lock:
            now = time.monotonic()
            if now - self._checked_at >= CHECK_EVERY:
                self._last = self._check()
                self._checked_at = now
            return self._last


class _InBackground(Generic[T]):
    """The same for a check that may wait long for a server: a thread of its own makes it.

    `late` is the answer as long as there is none.
    """

    def __init__(self, check: Callable[[], T], late: T) -> None:
        self._check = check
        self._late = late
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Have the check made at the next time."""
        self._begun_at = float("-inf")  # on the monotonic clock
        self._found: Future[T] | None = None

    def begin(self, *, at_once: bool = False) -> None:
        """Begin the check if it is due, or at once, unless one is under way."""
        with self._lock:
            now = time.monotonic()
            is_due = at_once or now - self._begun_at >= CHECK_EVERY
            if not is_due or (self._found and not self._found.done()):
                return
            self._begun_at, self._found = now, Future()
            run = partial(copy_context().run, self._run, self._found)
            threading.Thread(target=run, name="readyz", daemon=True).start()

    def answer(self, ends: float) -> T:
        """Return the answer of the check that was begun last, waiting for it until `ends`."""
        found = self._found
        if found is None:
            return self._late
        try:
            return found.result(max(ends - time.monotonic(), 0))
        except TimeoutError:
            return self._late

    def _run(self, found: Future[T]) -> None:
        try:
            found.set_result(self._check())
        except Exception as error:  # noqa: BLE001 - it is raised where the answer is asked for
            found.set_exception(error)


_disk = _Periodic(_disk_problem)
_migrations = _Periodic(_missing_migrations)
_new_connections: _InBackground[Outage | None] = _InBackground(
    _refusal_of_connections, late=Outage.GONE
)
_broker = _InBackground(_broker_down, late=["broker"])
_sampler = Sampler()


def forget_checks() -> None:
    """Have the next probe make every check and log what it finds, whatever the last one did."""
    for one in (_disk, _migrations, _new_connections, _broker, _sampler):
        one.forget()


def _unavailable(*what: str, reason: str = "") -> JsonResponse:
    if count := _sampler.due((what, reason), QUIET):
        log.error("not_ready", missing=list(what), reason=reason, count=count)
    response = JsonResponse(
        {"status": "unavailable", "down": list(what)} | ({"reason": reason} if reason else {}),
        status=503,
        headers={"Retry-After": RETRY_AFTER},
    )
    # Django logs every answer from 500 on as an error, unless it is marked so.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response
