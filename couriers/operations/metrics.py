"""GET /metrics: the counters of all processes, and gauges that are read at each scrape.

Counters and histograms are defined beside the code that counts. With several processes they are
added up in PROMETHEUS_MULTIPROC_DIR. A gauge is read from PostgreSQL or Redis at each scrape, so
that its value is the same whichever process answers. docs/metrics.md lists all of them.
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Callable, Iterable

from django.contrib.auth.decorators import login_not_required
from django.db import Error, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from couriers.conf import in_development, tunables
from couriers.contract.content_policy import nothing, with_policy
from couriers.contract.logs import get_logger
from couriers.resilience.database import Outage, leave_connection, outage_of
from couriers.resilience.hanging_database import answered_within
from couriers.resilience.shared import RedisUnavailable, with_redis

log = get_logger(__name__)

Source = Callable[[], Iterable[Metric]]
STATEMENT_TIMEOUT = 5000  # milliseconds that one statement of a source may take
PATIENCE = 1.0  # seconds that a kept connection is waited for; a new one as its settings say
# How often the files of counters are read before they are broken, and the pause in seconds.
TRIES, TRY_PAUSE = 3, 0.05

_sources: list[Source] = []
_without_database: set[Source] = set()
_zeros: list[Callable[[], None]] = []


def register(source: Source, *, needs_database: bool = True) -> None:
    """Have `source` read at each scrape. It may be registered again without effect.

    Unless it `needs_database`, it is read without PostgreSQL, too.
    """
    if source not in _sources:
        _sources.append(source)
    if not needs_database:
        _without_database.add(source)


def register_zeros(declare: Callable[[], None]) -> None:
    """Have `declare` called before the first scrape of a process.

    It makes the children of counters whose labels are known. A counter that is not shown with 0
    before it counts loses its first event: nobody can tell by how much it grew.
    """
    if declare not in _zeros:
        _zeros.append(declare)


class Gauges(Collector):
    """All gauges that are read at a scrape. `failures` is how many other parts have failed."""

    def __init__(self, failures: int = 0) -> None:
        self._failures = failures

    def collect(self) -> Iterable[Metric]:
        self._has_database = _database_answers()
        yield _gauge("shipcrowd_database_up", "1 while PostgreSQL answers", self._has_database)
        yield _gauge("shipcrowd_redis_up", "1 while Redis answers", _redis_answers())
        for source in _sources:
            yield from self._read(source)
        yield _gauge(
            "shipcrowd_scrape_failures",
            "Parts of /metrics that could not be read",
            self._failures,
        )

    def _read(self, source: Source) -> Iterable[Metric]:
        """Return the metrics of a source; none if it fails, or needs a database that is away."""
        try:
            if source in _without_database:
                return list(source())
            if self._has_database:
                with transaction.atomic():
                    with connection.cursor() as cursor:
                        cursor.execute(f"SET LOCAL statement_timeout = {STATEMENT_TIMEOUT}")
                    return list(source())
        except Exception as error:  # noqa: BLE001 - it must not hide what the others measure
            # The database has just gone: no other source waits for it.
            if outage_of(error) not in (None, Outage.BUSY):
                leave_connection(error)
                self._has_database = False
            log.warning("metrics_source_failed", source=source.__name__, error=str(error))
        self._failures += 1
        return []


@transaction.non_atomic_requests
@login_not_required
@never_cache
@with_policy(nothing)
def metrics(request: HttpRequest) -> HttpResponse:
    """GET /metrics in Prometheus' text format, for those who have METRICS_TOKEN; else 401.

    Without METRICS_TOKEN everybody may read it in development, and nobody elsewhere. Without
    PostgreSQL or Redis it has what can be read without them.
    """
    if not _may_read(request):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    counted = _counters()
    gauges = CollectorRegistry()
    gauges.register(Gauges(failures=counted is None))
    return HttpResponse(
        (counted or b"") + generate_latest(gauges), content_type=CONTENT_TYPE_LATEST
    )


def _counters() -> bytes | None:
    """Return the counters and histograms of all processes; None if their files are broken."""
    while _zeros:
        _zeros.pop()()
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return generate_latest(REGISTRY)
    problem = ""
    for _ in range(TRIES):
        registry = CollectorRegistry()
        try:
            MultiProcessCollector(registry)
            return generate_latest(registry)
        except (OSError, ValueError, RuntimeError, struct.error) as error:
            problem = str(error)  # a process that has just started is perhaps writing its file
            time.sleep(TRY_PAUSE)
    log.error("metrics_files_broken", error=problem)
    return None


def _may_read(request: HttpRequest) -> bool:
    token = tunables().METRICS_TOKEN
    if not token:
        return in_development()
    keyword, _, given = request.headers.get("Authorization", "").partition(" ")
    return keyword.casefold() == "bearer" and constant_time_compare(given.strip(), token)


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(name, meaning, value=value)


def _database_answers() -> bool:
    try:
        with answered_within(PATIENCE), connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error as error:
        log.warning("metrics_without_database", error=str(error))
        leave_connection(error)
        return False
    return True


def _redis_answers() -> bool:
    try:
        with_redis(lambda redis: redis.ping())
    except RedisUnavailable:
        return False
    return True
