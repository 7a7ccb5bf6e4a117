"""Couriers' answers about lanes in Redis, for QUOTE_CACHE seconds."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from pydantic import TypeAdapter

from couriers.conf import tunables
from couriers.models import CourierAccount
from couriers.resilience.shared import RedisUnavailable, with_redis

T = TypeVar("T")


def cached(
    kind: str, account: CourierAccount, asked: Any, answers: TypeAdapter[T], ask: Callable[[], T]
) -> T:
    """Return the answer to `asked`, a dataclass, from Redis where it is cached; else ask.

    `kind` is the kind of question, `answers` reads and writes the answer as JSON. An error of `ask`
    is raised, and is not cached.
    """
    key = _key(kind, account, asked)
    try:
        found = with_redis(lambda redis: redis.get(key))
    except RedisUnavailable:
        found = None
    if found is not None:
        return answers.validate_json(found)
    answer = ask()
    milliseconds = max(1, round(tunables().QUOTE_CACHE * 1000))
    with suppress(RedisUnavailable):  # the next request then asks the courier again
        with_redis(lambda redis: redis.set(key, answers.dump_json(answer), px=milliseconds))
    return answer


def _key(kind: str, account: CourierAccount, asked: Any) -> str:
    """Return a hash of all that an answer depends on: the question, and the account's settings."""
    inputs = json.dumps(
        [account.pk, account.updated_at.isoformat(), dataclasses.asdict(asked)],
        default=str,
        sort_keys=True,
    )
    return f"shipcrowd:{kind}:{hashlib.sha256(inputs.encode()).hexdigest()}"
