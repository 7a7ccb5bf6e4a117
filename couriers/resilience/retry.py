"""Retries a call that certainly was not carried out, with back-off and jitter.

A longer delay that the error names is kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception
from tenacity.wait import wait_exponential_jitter

from couriers.contract.errors import (
    CircuitOpen,
    CourierDisabled,
    CourierError,
    NotDone,
    NotSent,
    PerhapsBooked,
    RateLimited,
    ReservedIdRefused,
    TimeIsUp,
    TooManyInFlight,
    WarehouseInDoubt,
)
from couriers.resilience import waits

T = TypeVar("T")

MAX_ATTEMPTS = 4  # the first one and three retries
OWN_GUARDS = (
    RateLimited,
    TooManyInFlight,
    CircuitOpen,
    TimeIsUp,
    CourierDisabled,
    WarehouseInDoubt,
)
# Another number, another moment or a search is needed: the caller decides.
NOT_REPEATED = (*OWN_GUARDS, ReservedIdRefused, PerhapsBooked)
BACKOFF = wait_exponential_jitter(initial=1, exp_base=2, max=8, jitter=1)


def retry_safely(
    work: Callable[[], T],
    *,
    also: tuple[type[CourierError], ...] = (),
    max_attempts: int = MAX_ATTEMPTS,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Return `work()`, called again after NotSent, NotDone and `also`, and after nothing else.

    Not after the errors of NOT_REPEATED, though they are of these classes.

    Raises the last error, with the delay that it names, after `max_attempts` or if the pause would
    be longer than `waits.longest()`. An error of the platform's own guards is not retried, because
    the guard has waited already.
    """

    def is_over(state: RetryCallState) -> bool:
        return state.attempt_number >= max_attempts or state.upcoming_sleep > waits.longest()

    def may_retry(error: BaseException) -> bool:
        return isinstance(error, (NotSent, NotDone, *also)) and not isinstance(error, NOT_REPEATED)

    def pause(seconds: float) -> None:
        sleep(seconds)
        waits.spend(seconds)

    return Retrying(
        retry=retry_if_exception(may_retry),
        stop=is_over,
        wait=_wait,
        sleep=pause,
        reraise=True,
    )(work)


def _wait(state: RetryCallState) -> float:
    """Return the seconds until the next attempt: the back-off, or the named delay if longer."""
    error = state.outcome.exception() if state.outcome else None
    named_delay = error.retry_after or 0 if isinstance(error, CourierError) else 0
    return max(float(BACKOFF(state)), named_delay)
