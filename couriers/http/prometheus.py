"""Reads which alerts fire from a Prometheus, over its API (/api/v1/alerts)."""

from __future__ import annotations

from typing import Any

import requests

TIMEOUT = 1.0  # seconds, for the connection and again for each read
MAX_BYTES = 1_000_000


class PrometheusUnavailable(Exception):
    """Prometheus did not answer, or not as it should. The message is for the log."""


def read_alerts(url: str) -> list[dict[str, Any]]:
    """Return the alerts of the Prometheus at this base URL as its API has them.

    Raises PrometheusUnavailable.
    """
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(
                f"{url.rstrip('/')}/api/v1/alerts",
                timeout=TIMEOUT,
                allow_redirects=False,
                stream=True,
            )
            body = answer.raw.read(MAX_BYTES + 1, decode_content=True)
            if answer.status_code != 200 or len(body) > MAX_BYTES:
                raise PrometheusUnavailable(f"answered {answer.status_code}, {len(body)} bytes")
            answer._content = body
            alerts = answer.json()["data"]["alerts"]
    except (requests.RequestException, OSError, ValueError, KeyError, TypeError) as error:
        raise PrometheusUnavailable(f"{type(error).__name__}: {error}") from error
    if not isinstance(alerts, list) or not all(isinstance(one, dict) for one in alerts):
        raise PrometheusUnavailable("answered with no list of alerts")
    return alerts
