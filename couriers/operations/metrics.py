"""GET /metrics: the counters of all processes, and gauges that are read at each scrape.

Counters and histograms are defined beside the code that counts. With several processes they are
added up in PROMETHEUS_MULTIPROC_DIR. A gauge is read from PostgreSQL or Redis at each scrape, so
that its value is the same whichever process answers.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from django.contrib.auth.decorators import login_not_required
from django.db import Error, transaction
from django.db.models import Count, Min
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from couriers.conf import in_development, tunables
from couriers.contract.content_policy import nothing, with_policy
from couriers.contract.logs import get_logger
from couriers.contract.registry import CourierFactory
from couriers.contract.statuses import Status
from couriers.models import CourierAccount, Shipment
from couriers.resilience.circuit_breaker import CircuitBreaker

log = get_logger(__name__)

Source = Callable[[], Iterable[Metric]]
CIRCUIT_STATES = {"closed": 0, "half_open": 1, "open": 2}
MAX_ACCOUNTS = 1000  # of a courier, whose circuits are shown

_sources: list[Source] = []


def register(source: Source) -> None:
    """Have `source` read at each scrape. It may be registered again without effect."""
    if source not in _sources:
        _sources.append(source)


class Gauges(Collector):
    """All gauges that are read at a scrape."""

    def collect(self) -> Iterable[Metric]:
        failed = GaugeMetricFamily(
            "shipcrowd_scrape_failures", "Sources of gauges that could not be read"
        )
        failures = 0
        for source in _sources:
            try:
                yield from list(source())
            except Error as error:
                failures += 1
                log.warning("metrics_source_failed", source=source.__name__, error=str(error))
        failed.add_metric([], failures)
        yield failed


@transaction.non_atomic_requests
@login_not_required
@never_cache
@with_policy(nothing)
def metrics(request: HttpRequest) -> HttpResponse:
    """GET /metrics in Prometheus' text format, for those who have METRICS_TOKEN; else 401.

    Without METRICS_TOKEN everybody may read it in development, and nobody elsewhere.
    """
    if not _may_read(request):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    counted = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        counted = CollectorRegistry()
        MultiProcessCollector(counted)
    gauges = CollectorRegistry()
    gauges.register(Gauges())
    return HttpResponse(
        generate_latest(counted) + generate_latest(gauges), content_type=CONTENT_TYPE_LATEST
    )


def _may_read(request: HttpRequest) -> bool:
    token = tunables().METRICS_TOKEN
    if not token:
        return in_development()
    keyword, _, given = request.headers.get("Authorization", "").partition(" ")
    return keyword.casefold() == "bearer" and constant_time_compare(given.strip(), token)


def doubt_gauges() -> Iterable[Metric]:
    """Bookings in doubt and the age of the oldest, in seconds, by courier."""
    count = GaugeMetricFamily(
        "shipcrowd_bookings_in_doubt", "Bookings whose outcome is unknown", labels=["courier"]
    )
    age = GaugeMetricFamily(
        "shipcrowd_bookings_in_doubt_oldest_seconds",
        "Age of the oldest booking in doubt",
        labels=["courier"],
    )
    now = timezone.now()
    # Couriers without a booking in doubt are listed with 0: without it an alert would not end.
    found = {
        row["courier_id"]: row
        for row in Shipment.objects.filter(status=Status.IN_DOUBT)
        .values("courier_id")
        .annotate(count=Count("pk"), oldest=Min("created_at"))
        .order_by()
    }
    couriers = CourierAccount.objects.order_by().values_list("courier_id", flat=True).distinct()
    for courier in sorted(couriers):
        row = found.get(courier)
        count.add_metric([courier], row["count"] if row else 0)
        age.add_metric([courier], (now - row["oldest"]).total_seconds() if row else 0)
    return [count, age]


def circuit_gauges() -> Iterable[Metric]:
    """`<courier>_circuit_breaker_state` by account: 0 closed, 1 half open, 2 open."""
    for courier in CourierFactory.codes():
        state = GaugeMetricFamily(
            f"{courier}_circuit_breaker_state",
            "0 closed, 1 half open, 2 open",
            labels=["account"],
        )
        accounts = CourierAccount.objects.filter(courier_id=courier).order_by("id")
        for account_id in accounts.values_list("id", flat=True)[:MAX_ACCOUNTS]:
            circuit = CircuitBreaker.of_account(courier, account_id)
            state.add_metric([account_id], CIRCUIT_STATES[circuit.state()])
        yield state
