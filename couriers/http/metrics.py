"""Prometheus metrics of the calls to couriers.

A call is counted with a `courier` label, and once more under the courier's own prefix where its
client declares one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from prometheus_client import Counter, Histogram

_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30)


@dataclass(frozen=True, slots=True)
class _Family:
    """The four metrics under one prefix. The labels of the named ones have no courier."""

    calls: Counter
    latency: Histogram
    limit_hits: Counter
    refreshes: Counter

    @classmethod
    def under(cls, prefix: str, whom: str, labels: list[str]) -> _Family:
        return cls(
            Counter(
                f"{prefix}_api_calls",
                f"Calls to {whom} by their outcome",
                [*labels, "operation", "outcome", "status_code"],
            ),
            Histogram(
                f"{prefix}_api_latency_seconds",
                f"Time that a call to {whom} took",
                [*labels, "operation"],
                buckets=_BUCKETS,
            ),
            Counter(
                f"{prefix}_rate_limit_hits",
                f"Calls refused by a limit, ours or that of {whom}",
                [*labels, "operation"],
            ),
            Counter(
                f"{prefix}_auth_refreshes", f"Token refreshes with {whom}", [*labels, "success"]
            ),
        )


_ALL = _Family.under("shipcrowd_courier", "a courier", ["courier"])


@cache
def _named(prefix: str) -> _Family:
    return _Family.under(prefix, prefix.capitalize(), [])


def declare(prefix: str) -> None:
    """Have the metrics of a prefix shown from now on; "" is none."""
    if prefix:
        _declare_refreshes(_named(prefix))


def _declare_refreshes(family: _Family, *labels: str) -> None:
    """Show the logins with 0, so that the first failure is seen to be one more."""
    for success in ("true", "false"):
        family.refreshes.labels(*labels, success)


class CallMetrics:
    """Counts the calls to one courier. `prefix` "" means that it has no metrics of its own."""

    def __init__(self, courier: str, prefix: str = "") -> None:
        self._families: list[tuple[_Family, tuple[str, ...]]] = [(_ALL, (courier,))]
        if prefix:
            self._families.append((_named(prefix), ()))
        for family, labels in self._families:
            _declare_refreshes(family, *labels)

    def declare_operations(self, operations: Iterable[str]) -> None:
        """Show the times and the refusals by a limit with 0 for each operation."""
        for family, labels in self._families:
            for operation in operations:
                family.limit_hits.labels(*labels, operation)
                family.latency.labels(*labels, operation)

    def count_call(self, operation: str, outcome: str, status: int) -> None:
        """Count a call that ended. `status` 0 means that no answer came."""
        for family, labels in self._families:
            family.calls.labels(*labels, operation, outcome, str(status or "")).inc()

    def observe_latency(self, operation: str, seconds: float) -> None:
        """Count the time of a call, in seconds."""
        for family, labels in self._families:
            family.latency.labels(*labels, operation).observe(seconds)

    def count_limit_hit(self, operation: str) -> None:
        """Count a call that a limit refused, the platform's or the courier's."""
        for family, labels in self._families:
            family.limit_hits.labels(*labels, operation).inc()

    def count_refresh(self, *, success: bool) -> None:
        """Count a login for a new token."""
        for family, labels in self._families:
            family.refreshes.labels(*labels, str(success).lower()).inc()
