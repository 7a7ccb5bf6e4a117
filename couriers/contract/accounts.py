"""A courier account as a plug-in sees it, and the check of its limits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Protocol

from couriers.contract.receiver import Topic
from couriers.contract.types import Limit

# The largest limit that an account may set for itself.
MAX_LIMIT_COUNT = 9_999_999  # calls
MAX_LIMIT_WINDOW = 999_999  # seconds


class Account(Protocol):
    """The part of a courier account that its adapter reads.

    `settings` holds the account's choices that the courier's plug-in defines. `updated_at` changes
    whenever the account does.
    """

    @property
    def pk(self) -> str: ...
    @property
    def company_id(self) -> int: ...
    @property
    def courier_id(self) -> str: ...
    @property
    def base_url(self) -> str: ...
    @property
    def client_id(self) -> str: ...
    @property
    def username(self) -> str: ...
    @property
    def password(self) -> str: ...
    @property
    def webhook_secret(self) -> str: ...
    @property
    def webhook_url(self) -> str: ...
    @property
    def settings(self) -> dict[str, Any]: ...
    @property
    def updated_at(self) -> dt.datetime: ...

    def topic_url(self, topic: Topic) -> str:
        """Return the URL of a topic that has a path of its own. Raises NoAddress."""

    def limit_of(self, operation: str, default: Limit) -> Limit:
        """Return the account's limit of an operation, where `default` is the courier's.

        An account may have a count and a window of its own. Cost and scope are the courier's.
        """


def limits_problem(limits: Any, defaults: Mapping[str, Limit]) -> str | None:
    """Return why an account's own limits may not be used, or None.

    `defaults` are the courier's limits by operation. A limit must allow at least one call.
    """
    if not isinstance(limits, dict):
        return "must be an object of operations and their limits"
    for operation, limit in limits.items():
        if operation not in defaults:
            known = ", ".join(sorted(defaults)) or "none"
            return f"unknown operation {operation!r} (known: {known})"
        if (
            not isinstance(limit, dict)
            or set(limit) != {"count", "window"}
            or type(limit["count"]) is not int
            or type(limit["window"]) not in (int, float)
            or not 1 <= limit["count"] <= MAX_LIMIT_COUNT
            or not 1 <= limit["window"] <= MAX_LIMIT_WINDOW
        ):
            return (
                f'{operation}: expected {{"count": 1 to {MAX_LIMIT_COUNT}, '
                f'"window": 1 to {MAX_LIMIT_WINDOW} seconds}}'
            )
        if limit["count"] < defaults[operation].cost:
            return f"{operation}: a call takes {defaults[operation].cost} of the count"
    return None
