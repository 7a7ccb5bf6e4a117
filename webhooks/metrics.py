"""What is counted of callbacks. A courier's counter carries its code in the name."""

from __future__ import annotations

from functools import cache

from prometheus_client import Counter, Histogram

REFUSED = Counter(
    "shipcrowd_webhook_refused", "Callbacks that were not taken in", ["courier", "reason"]
)
NUDGES_FAILED = Counter(
    "shipcrowd_webhook_nudges_failed", "Workers that could not be told of new callbacks"
)
APPLIED_AFTER = Histogram(
    "shipcrowd_webhook_applied_seconds",
    "From a callback's receipt until it was applied",
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600),
)


@cache
def events(courier: str) -> Counter:
    """`<courier>_webhook_events_total{topic,status}`."""
    return Counter(
        f"{courier}_webhook_events", f"Callbacks of {courier} by what became of them",
        ["topic", "status"],
    )  # fmt: skip
