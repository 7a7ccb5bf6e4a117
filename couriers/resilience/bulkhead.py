"""The bulkhead: slow calls of one account leave threads of this process to everybody else.

A call to a slow courier holds the thread of the request that makes it. The places are counted in
this process alone, because its threads are its own. Bulk work is not counted: it runs in threads
of its own, and their number is its limit.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import prometheus_client

from couriers.conf import tunables
from couriers.contract.accounts import Account
from couriers.contract.errors import TooManyInFlight
from couriers.resilience import waits

# The parts of WEB_THREADS that may call couriers at once, for one account, for all accounts of one
# company, and for everybody. A company with a slow courier can still use another one, a second
# company always has places, and requests that make no call always have threads.
ACCOUNT_SHARE = 1 / 2
COMPANY_SHARE = 3 / 4
TOTAL_SHARE = 7 / 8
RETRY_AFTER = 2.0  # seconds; a place is free again when any of the calls ends

REFUSALS = prometheus_client.Counter(
    "shipcrowd_bulkhead_refusals",
    "Calls refused because too many are under way in this process",
    ["scope"],
)

_lock = threading.Lock()
_taken: Counter[tuple[str, str]] = Counter()
# The accounts that the current request has a place for.
_held: ContextVar[frozenset[str]] = ContextVar("couriers_bulkhead_held", default=frozenset())


def declare_refusals() -> None:
    """Have the counter of refusals shown with 0 for each scope before its first refusal."""
    for scope in _MESSAGES:
        REFUSALS.labels(scope)


@contextmanager
def hold_place(account: Account, operation: str = "") -> Iterator[None]:
    """Hold one of the account's places while the block makes calls.

    A block inside another one of the same account holds no second place, also in the threads of
    `call_in_parallel`. Raises TooManyInFlight, with the seconds to wait, if none is free.
    """
    held = _held.get()
    if waits.are_long() or account.pk in held:
        yield
        return
    places = _take(account, operation)
    token = _held.set(held | {account.pk})
    try:
        yield
    finally:
        _held.reset(token)
        with _lock:
            _taken.subtract(places)
            for place in places:
                if not _taken[place]:
                    del _taken[place]


def _take(account: Account, operation: str) -> list[tuple[str, str]]:
    """Take a place in each scope, or none. Raises TooManyInFlight."""
    threads = tunables().WEB_THREADS
    limits = {
        ("account", account.pk): ACCOUNT_SHARE,
        ("company", str(account.company_id)): COMPANY_SHARE,
        ("total", ""): TOTAL_SHARE,
    }
    with _lock:
        for place, share in limits.items():
            if _taken[place] >= max(1, int(threads * share)):
                break
        else:
            _taken.update(limits.keys())
            return list(limits)
    scope = place[0]
    REFUSALS.labels(scope).inc()
    raise TooManyInFlight(
        _MESSAGES[scope],
        courier=account.courier_id,
        operation=operation,
        retry_after=RETRY_AFTER,
    )


_MESSAGES = {
    "account": "too many calls of this account are under way",
    "company": "too many calls of this company are under way",
    "total": "too many calls to couriers are under way",
}
