"""Health checks: whether the process is alive, and whether it can work."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.db import Error, connection, transaction
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache

from couriers.resilience.shared import RedisUnavailable, with_redis

DATABASE_RETRY_AFTER = 5  # seconds, for clients while PostgreSQL is away


@transaction.non_atomic_requests
@login_not_required
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """GET /healthz: 200 while the process answers."""
    return JsonResponse({"status": "ok"})


@transaction.non_atomic_requests
@login_not_required
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """GET /readyz: 503 without PostgreSQL, 200 with the status `degraded` without Redis.

    Bookings need no Redis. Without it, each process limits its calls by itself.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return JsonResponse(
            {"status": "unavailable", "down": ["postgresql"]},
            status=503,
            headers={"Retry-After": DATABASE_RETRY_AFTER},
        )
    try:
        with_redis(lambda redis: redis.ping())
    except RedisUnavailable:
        return JsonResponse({"status": "degraded", "down": ["redis"]})
    return JsonResponse({"status": "ok"})
