"""What the environment of a deployment lacks: each is named by `manage.py check --deploy`.

docker-compose.yml sets all of it. What Django and the apps check themselves is not repeated here.
"""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, register
from django.http.request import validate_host

from shipcrowd.multiprocess import VARIABLE

WITHOUT_PASSWORD = ("", "localhost", "127.0.0.1", "::1")  # a socket, or this machine


@register(deploy=True)
def check_servers(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """shipcrowd.W001: the servers of development would keep the data."""
    missing = [name for name in ("DATABASE_URL", "REDIS_URL") if not settings.SERVERS_GIVEN[name]]
    if not missing:
        return []
    return [
        checks.Warning(
            f"The environment lacks {' and '.join(missing)}, so servers of development are "
            "started, whose data lies in this folder",
            hint="Set both to your own servers.",
            id="shipcrowd.W001",
        )
    ]


@register(deploy=True)
def check_passwords(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """shipcrowd.W002 and W003: whoever reaches Redis or PostgreSQL may read and write."""
    found: list[CheckMessage] = []
    redis, database = urlsplit(settings.REDIS_URL), urlsplit(settings.DATABASE_URL)
    if redis.hostname and not redis.password:
        found.append(
            checks.Warning(
                "REDIS_URL has no password, so whoever reaches the server may read and write it",
                hint="Give the server one (requirepass), and set REDIS_PASSWORD or "
                "REDIS_PASSWORD_FILE.",
                id="shipcrowd.W002",
            )
        )
    if (database.hostname or "") not in WITHOUT_PASSWORD and not database.password:
        found.append(
            checks.Warning(
                "DATABASE_URL has no password",
                hint="Set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE.",
                id="shipcrowd.W003",
            )
        )
    return found


@register(deploy=True)
def check_addresses(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """shipcrowd.W004 and W005: the public address is not https, or is no host of the platform."""
    url = urlsplit(settings.APP_BASE_URL)
    if url.scheme != "https":
        return [
            checks.Warning(
                f"APP_BASE_URL is {settings.APP_BASE_URL}, so couriers and consignees are told an "
                "address without https",
                hint="Set it to the public https address.",
                id="shipcrowd.W004",
            )
        ]
    if validate_host((url.hostname or "").lower(), settings.ALLOWED_HOSTS):
        return []
    return [
        checks.Warning(
            f"ALLOWED_HOSTS does not have {url.hostname}, the host of APP_BASE_URL, so requests to "
            "it are refused",
            hint="Add it to ALLOWED_HOSTS.",
            id="shipcrowd.W005",
        )
    ]


@register(deploy=True)
def check_proxy(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """shipcrowd.W006: a proxy ends TLS, and all clients have its address."""
    if not settings.SECURE_SSL_REDIRECT or settings.SHIPCROWD["PROXIES"]:
        return []
    return [
        checks.Warning(
            "TRUSTED_PROXIES is not set, but a proxy ends TLS (SECURE_SSL_REDIRECT): every client "
            "has the proxy's address",
            hint="Set it to the number of proxies in front; 1 for the nginx of deploy/nginx.",
            id="shipcrowd.W006",
        )
    ]


@register(deploy=True)
def check_metrics_folder(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """shipcrowd.W007: each process shows its own metrics only."""
    if os.environ.get(VARIABLE) or settings.METRICS_FOLDER_PROBLEM:
        return []
    return [
        checks.Warning(
            "PROMETHEUS_MULTIPROC_DIR is not set, so /metrics shows the process that answers alone",
            hint="Set it to a folder that web and workers share.",
            id="shipcrowd.W007",
        )
    ]
