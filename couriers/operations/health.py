"""Health checks: whether the process is alive, and whether it can work."""

from __future__ import annotations

import threading
import time

from django.contrib.auth.decorators import login_not_required
from django.db import Error, connection, transaction
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache

from couriers.contract.content_policy import nothing, with_policy
from couriers.contract.logs import get_logger
from couriers.operations.key_rotation import can_read_accounts
from couriers.resilience.database import RETRY_AFTER, Outage, leave_connection, outage_of
from couriers.resilience.shared import RedisUnavailable, with_redis

log = get_logger(__name__)

DISK_CHECK_EVERY = 5.0  # seconds between two checks of one process that PostgreSQL can write
# More than fits into the least work_mem, so that PostgreSQL writes it to a file of its own.
_SPILLED_ROWS = 5000

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
    """GET /readyz: 503 without a PostgreSQL that can write, or with FERNET_KEYS that open nothing.

    `reason` says what ails PostgreSQL. 200 with the status `degraded` without Redis: bookings need
    none. Without it, each process limits its calls by itself.
    """
    try:
        reason = _database_problem()
        keys_fit = reason is not None or can_read_accounts()
    except Error as error:
        reason, keys_fit = outage_of(error) or Outage.GONE, True
        log.error("not_ready", reason=reason.value, error=type(error).__name__)
        leave_connection(error)
    if reason is not None:
        return _unavailable("postgresql", reason=reason.value)
    if not keys_fit:
        return _unavailable("fernet_keys")
    try:
        with_redis(lambda redis: redis.ping())
    except RedisUnavailable:
        return JsonResponse({"status": "degraded", "down": ["redis"]})
    return JsonResponse({"status": "ok"})


def _database_problem() -> Outage | None:
    """Return why PostgreSQL takes no writes. Raises Error where it does not answer at all."""
    with connection.cursor() as cursor:
        cursor.execute(_READ_ONLY)
        if cursor.fetchone()[0]:
            if not connection.in_atomic_block:
                connection.close()  # a new connection may be writable again
            return Outage.READ_ONLY
    return _disk.problem()


class _DiskCheck:
    """Whether the disk of PostgreSQL is full, asked at most every DISK_CHECK_EVERY seconds.

    A query that spills to a file shows it: unlike a row that is inserted and rolled back, it always
    needs new blocks, and it leaves neither a dead row nor a record in the write-ahead log.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        self._asked_at = float("-inf")  # on the monotonic clock
        self._problem: Outage | None = None

    def problem(self) -> Outage | None:
        with self._lock:
            now = time.monotonic()
            if now - self._asked_at >= DISK_CHECK_EVERY:
                self._problem = self._ask()
                self._asked_at = now
            return self._problem

    def _ask(self) -> Outage | None:
        """Have PostgreSQL write a file. Raises Error where it does not answer."""
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL work_mem = '64kB'")
                cursor.execute(_SPILL)
        except Error as error:
            outage = outage_of(error)
            # A role's temp_file_limit refuses the file as well, and says nothing of the disk.
            if outage is Outage.OUT_OF_RESOURCES:
                return None
            if outage is not Outage.OUT_OF_DISK:
                raise
            log.error("not_ready", reason=outage.value)
            return outage
        return None


_disk = _DiskCheck()


def forget_disk_check() -> None:
    """Have the next probe ask again whether the disk is full."""
    _disk.forget()


def _unavailable(what: str, **members: str) -> JsonResponse:
    return JsonResponse(
        {"status": "unavailable", "down": [what], **members},
        status=503,
        headers={"Retry-After": RETRY_AFTER},
    )
