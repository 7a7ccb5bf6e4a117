"""Whether this process lives, and whether it can do its work."""

from __future__ import annotations

from django.db import Error, connection
from django.http import HttpRequest, JsonResponse

from couriers.resilience.shared import RedisAway, with_redis


def healthz(request: HttpRequest) -> JsonResponse:
    """200 while the process answers at all."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """503 without PostgreSQL. Without Redis 200, degraded: bookings are still safe."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return JsonResponse(
            {"status": "unavailable", "down": ["postgresql"]},
            status=503,
            headers={"Retry-After": 5},
        )
    try:
        with_redis(lambda redis: redis.ping())
    except RedisAway:
        return JsonResponse({"status": "degraded", "down": ["redis"]})
    return JsonResponse({"status": "ok"})
