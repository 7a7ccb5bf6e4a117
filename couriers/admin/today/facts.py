"""What the first page, the sidebar and the banner know, read once for a request.

Pages other than the first take what a process read a few seconds ago. Where the database does not
answer, nothing is known (None), and no page breaks for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.db import Error, connection
from django.http import HttpRequest

from couriers.contract.logs import get_logger
from couriers.operations import health_lists, worklists
from couriers.operations.health_lists import AccountFacts, account_facts
from couriers.operations.worklists import Tally, Worklist, tallies
from couriers.resilience.database import leave_connection

T = TypeVar("T")
log = get_logger(__name__)

CACHED_FOR = 5.0  # seconds
MAX_CACHED = 1000  # answers in a process; then all are dropped
FIRST_PAGES = {"index", "shipcrowd_couriers_shipment_overview"}  # names of URLs
_MEMO = "_shipcrowd_facts"

_cache: dict[Any, tuple[float, Any]] = {}


def forget() -> None:
    """Have everything read anew."""
    _cache.clear()


def once(request: HttpRequest, key: tuple[Any, ...], read: Callable[[], T]) -> T | None:
    """Return what `read` returns, read once for the request; None where the database is away.

    It may have been read CACHED_FOR seconds ago for another request, unless this is for the first
    page, whose numbers are those of now.
    """
    memo: dict[Any, Any] = request.__dict__.setdefault(_MEMO, {})
    if key not in memo:
        memo[key] = _cached(key, read, fresh=_is_first_page(request))
    found: T | None = memo[key]
    return found


def _is_first_page(request: HttpRequest) -> bool:
    return bool(request.resolver_match and request.resolver_match.url_name in FIRST_PAGES)


def _cached(key: tuple[Any, ...], read: Callable[[], T], *, fresh: bool) -> T | None:
    until, found = _cache.get(key, (0.0, None))
    if not fresh and time.monotonic() < until:
        return found
    try:
        answer = read()
    except Error as error:
        if connection.in_atomic_block:  # the transaction of the page is broken, whatever is done
            raise
        leave_connection(error)
        log.warning("first_page_not_read", work=str(key[0]), error=type(error).__name__)
        return None
    if len(_cache) >= MAX_CACHED:
        _cache.clear()
    _cache[key] = (time.monotonic() + CACHED_FOR, answer)
    return answer


def counted_lists(user: Any) -> list[Worklist]:
    """Return the lists that the user may see and that are counted together."""
    lists = (*worklists.registered(), *health_lists.registered())
    return [
        one
        for one in lists
        if one.name not in health_lists.COUNTED_APART and user.has_perm(one.permission)
    ]


def tallies_for(request: HttpRequest) -> Mapping[str, Tally] | None:
    """Return the tally of each list that the user may see, by the lists' names."""
    lists = counted_lists(request.user)
    key = ("tallies", request.user.pk, *(one.name for one in lists))
    return once(request, key, lambda: tallies(request.user, lists))


def accounts_for(request: HttpRequest) -> list[AccountFacts] | None:
    """Return the facts of all accounts, whatever the user may see."""
    return once(request, ("accounts",), account_facts)
