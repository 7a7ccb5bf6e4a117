"""Which alerts fire, as Prometheus says: beat has them read, and every page takes them from Redis.

So Prometheus is never waited for by a page, and one that is away makes the answer unknown.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from couriers.conf import tunables
from couriers.contract.logs import get_logger
from couriers.http import prometheus
from couriers.resilience.shared import with_redis

log = get_logger(__name__)

KEPT = "shipcrowd:alerts"  # in Redis: the last answer of Prometheus
FRESH = 180  # seconds; an older answer says nothing about now
MAX_TEXT = 500  # characters of a text of an alert
MAX_ALERTS = 1000


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert that fires. `since` is as Prometheus writes it (RFC 3339)."""

    name: str
    severity: str
    since: str
    summary: str
    runbook: str


def is_configured() -> bool:
    """Whether there is a Prometheus to ask."""
    return bool(tunables().PROMETHEUS_URL)


def refresh() -> int | None:
    """Read the alerts that fire into Redis; return how many, None where they are not known.

    Raises RedisUnavailable.
    """
    if not is_configured():
        return None
    try:
        found = prometheus.read_alerts(tunables().PROMETHEUS_URL)
    except prometheus.PrometheusUnavailable as error:
        log.warning("alerts_not_read", error=str(error))
        return None
    firing = [_alert(one) for one in found if one.get("state") == "firing"][:MAX_ALERTS]
    kept = json.dumps([asdict(one) for one in firing])
    with_redis(lambda redis: redis.set(KEPT, kept, ex=FRESH))
    return len(firing)


def firing() -> list[Alert] | None:
    """Return the alerts that fire, None where nobody knows.

    Raises RedisUnavailable.
    """
    kept: Any = with_redis(lambda redis: redis.get(KEPT))
    return None if kept is None else [Alert(**one) for one in json.loads(kept)]


def _alert(one: dict[str, Any]) -> Alert:
    labels, notes = _texts(one.get("labels")), _texts(one.get("annotations"))
    runbook = notes.get("runbook_url", "")
    return Alert(
        name=labels.get("alertname", ""),
        severity=labels.get("severity", ""),
        since=str(one.get("activeAt", ""))[:MAX_TEXT],
        summary=notes.get("summary", "") or notes.get("description", ""),
        runbook=runbook if runbook.startswith(("https://", "http://")) else "",
    )


def _texts(given: Any) -> dict[str, str]:
    if not isinstance(given, dict):
        return {}
    return {str(name): str(value)[:MAX_TEXT] for name, value in given.items()}
