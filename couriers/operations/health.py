"""Health checks: whether the process is alive, and whether it can work."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.db import Error, transaction
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache

from couriers.contract.content_policy import nothing, with_policy
from couriers.operations.key_rotation import can_read_accounts
from couriers.resilience.shared import RedisUnavailable, with_redis

DATABASE_RETRY_AFTER = 5  # seconds, for clients while PostgreSQL is away


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
    """GET /readyz: 503 without PostgreSQL, or where FERNET_KEYS do not open what is stored.

    200 with the status `degraded` without Redis: bookings need none. Without it, each process
    limits its calls by itself.
    """
    try:
        keys_fit = can_read_accounts()
    except Error:
        return _unavailable("postgresql")
    if not keys_fit:
        return _unavailable("fernet_keys")
    try:
        with_redis(lambda redis: redis.ping())
    except RedisUnavailable:
        return JsonResponse({"status": "degraded", "down": ["redis"]})
    return JsonResponse({"status": "ok"})


def _unavailable(what: str) -> JsonResponse:
    return JsonResponse(
        {"status": "unavailable", "down": [what]},
        status=503,
        headers={"Retry-After": DATABASE_RETRY_AFTER},
    )
