"""The quotas of the API's clients, and the headers that tell them where they stand.

The framework's own throttles are not used: they read and write the count in two steps, so that
simultaneous requests pass.
"""

from __future__ import annotations

import math
from typing import Any

from django.http import HttpResponseBase
from rest_framework.exceptions import Throttled
from rest_framework.request import Request

from couriers.api.authentication import ApiClient
from couriers.conf import tunables
from couriers.resilience.client_address import client_address
from couriers.resilience.throttle import Quota, Standing, take, wrong_keys

HEADERS = {
    "RateLimit-Limit": "Requests a minute, of the quota of which the least is left.",
    "RateLimit-Remaining": "How many of them are left now.",
    "RateLimit-Reset": "Seconds until all of them are there again.",
}
_OWNERS = {
    "key": "with one API key",
    "company": "of one company",
    "user": "of one user",
    "address": "from one address",
}


def take_turn(request: Request) -> Standing | None:
    """Take a turn of the client's quotas; return the standing, None where there is no limit."""
    limits = tunables()
    quotas = [Quota("address", client_address(request._request), limits.THROTTLE_ADDRESS)]
    user: Any = request.user
    key: Any = request.auth
    if isinstance(user, ApiClient):
        quotas.append(Quota("key", key.prefix, limits.THROTTLE_KEY))
        quotas.append(Quota("company", str(user.company.pk), limits.THROTTLE_COMPANY))
    elif getattr(user, "is_authenticated", False):
        quotas.append(Quota("user", str(user.pk), limits.THROTTLE_KEY))
    return take(quotas)


def too_many(standing: Standing) -> Throttled:
    """The error for a client whose quota is used up."""
    quota = standing.quota
    return _throttled(standing.wait, f"{quota.count} requests a minute {_OWNERS[quota.kind]}")


def too_many_wrong_keys(request: Request) -> Throttled | None:
    """Note a wrong key; return the error for an address from which too many came, or None."""
    count = tunables().THROTTLE_WRONG_KEYS
    wait = wrong_keys.note(client_address(request._request), count)
    return _throttled(wait, f"{count} wrong keys a minute from one address") if wait else None


def tell(response: HttpResponseBase, standing: Standing) -> None:
    """Set the headers RateLimit-… on a response."""
    values = (standing.quota.count, standing.remaining, math.ceil(standing.reset))
    for name, value in zip(HEADERS, values, strict=True):
        response[name] = str(value)


def _throttled(wait: float, quota: str) -> Throttled:
    error = Throttled(detail=f"The limit is {quota}.")
    # Not given above, where the framework would add a sentence about it.
    error.wait = wait  # type: ignore[attr-defined]
    return error
