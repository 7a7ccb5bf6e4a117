"""Tells how a call to a courier ended: to the log, and to whoever listens, such as a tracer.

That the last login of an account failed is kept in Redis, for the operators.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from couriers.conf import tunables
from couriers.contract.accounts import Account
from couriers.contract.logs import get_logger
from couriers.contract.signals import courier_called
from couriers.resilience.shared import RedisUnavailable, with_redis

log = get_logger(__name__)

# In Redis: when the last login failed of each account whose last login did, in seconds (UTC).
FAILED_LOGINS = "shipcrowd:logins:failed"


def report_call(
    courier: str, account_id: str, operation: str, outcome: str, status: int, seconds: float
) -> None:
    """Log a call that ended, as `slow_courier_call` where it took longer than SLOW_CALL.

    `status` 0 means that no answer came.
    """
    facts = {
        "courier": courier,
        "account": account_id,
        "operation": operation,
        "outcome": outcome,
        "status": status or None,
        "milliseconds": round(seconds * 1000),
    }
    if seconds > tunables().SLOW_CALL:
        log.warning("slow_courier_call", **facts)
    else:
        log.info("courier_call", **facts)
    if courier_called.has_listeners(Account):
        courier_called.send_robust(
            Account, courier=courier, operation=operation, outcome=outcome, status=status,
            seconds=seconds,
        )  # fmt: skip


def report_login(account_id: str, *, success: bool) -> None:
    """Keep whether the last login of the account failed, where Redis answers."""
    with suppress(RedisUnavailable):
        if success:
            with_redis(lambda redis: redis.hdel(FAILED_LOGINS, account_id))
        else:
            with_redis(lambda redis: redis.hset(FAILED_LOGINS, account_id, int(time.time())))


def failed_logins() -> dict[str, float]:
    """Return when the last login failed of each account whose last login did, in seconds (UTC).

    Raises RedisUnavailable.
    """
    found: Any = with_redis(lambda redis: redis.hgetall(FAILED_LOGINS))
    return {account.decode(): float(at) for account, at in found.items()}
