"""An account with a courier, as a plug-in sees it, and what may be set in one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any, Protocol
from urllib.parse import urlsplit

from couriers.contract.types import Limit

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
LARGEST_COUNT = 9_999_999
LONGEST_WINDOW = 999_999  # seconds


class Account(Protocol):
    """What an adapter is given of the account that it calls for.

    `settings` are those that the courier's plug-in lets an account choose. `updated_at` changes
    with every change of the account.
    """

    @property
    def pk(self) -> str: ...
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
    def settings(self) -> dict[str, Any]: ...
    @property
    def updated_at(self) -> dt.datetime: ...

    def limit_of(self, operation: str) -> Limit | None:
        """The account's own limit of an operation, or None where the courier's default holds."""


def base_url_problem(url: str) -> str | None:
    """Why a base URL may not be used, or None: https, or http on loopback for a stand-in."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return f"is not a URL: {url!r}"
    if parts.scheme == "https" and parts.hostname:
        return None
    if parts.scheme == "http" and parts.hostname in LOOPBACK:
        return None
    return f"must begin with https:// (http:// is for loopback alone), not be {url!r}"


def limits_problem(limits: Any, operations: Collection[str]) -> str | None:
    """Why limits may not be used, or None; `operations` are those that the courier has."""
    if not isinstance(limits, dict):
        return "must be an object of operations and their limits"
    for operation, limit in limits.items():
        if operation not in operations:
            known = ", ".join(sorted(operations)) or "none"
            return f"unknown operation {operation!r} (known: {known})"
        if (
            not isinstance(limit, dict)
            or set(limit) != {"count", "window"}
            or type(limit["count"]) is not int
            or type(limit["window"]) not in (int, float)
            or not 1 <= limit["count"] <= LARGEST_COUNT
            or not 1 <= limit["window"] <= LONGEST_WINDOW
        ):
            return (
                f'{operation}: expected {{"count": 1 to {LARGEST_COUNT}, '
                f'"window": 1 to {LONGEST_WINDOW} seconds}}'
            )
    return None
