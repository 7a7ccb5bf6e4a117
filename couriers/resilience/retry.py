"""Retries: only of what surely did not happen, with back-off, jitter and the named delay."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_exponential_jitter

from couriers.contract.errors import (
    CircuitOpen,
    CourierDisabled,
    CourierError,
    NotDone,
    NotSent,
    RateLimited,
    TimeIsUp,
)

T = TypeVar("T")

ATTEMPTS = 4  # the first and three more
BACKOFF = wait_exponential_jitter(initial=1, exp_base=2, max=8, jitter=1)


def retry_safely(
    work: Callable[[], T],
    *,
    longest_delay: float,
    attempts: int = ATTEMPTS,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Run `work`, again after NotSent and NotDone, never after anything else.

    Gives up with the last error after `attempts`, or when the error asks for a longer delay than
    `longest_delay` seconds. What our own guards hold back is not retried: they have waited already.
    """

    def may_retry(error: BaseException) -> bool:
        return (
            isinstance(error, (NotSent, NotDone))
            and not isinstance(error, (RateLimited, CircuitOpen, TimeIsUp, CourierDisabled))
            and (error.retry_after or 0) <= longest_delay
        )

    return Retrying(
        retry=retry_if_exception(may_retry),
        stop=stop_after_attempt(attempts),
        wait=_wait,
        sleep=sleep,
        reraise=True,
    )(work)


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    named = error.retry_after or 0 if isinstance(error, CourierError) else 0
    return max(float(BACKOFF(state)), named)
