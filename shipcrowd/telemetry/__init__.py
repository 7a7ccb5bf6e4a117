"""Traces for OpenTelemetry and errors for Sentry: both off, unless a setting has their address.

What leaves the machine is listed by name, as in the log: no bodies, headers, queries, paths, texts
of exceptions or local variables. A server that is away stops nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


class NotInstalled(RuntimeError):
    """The setting is made, and the packages of its extra are not installed."""


def start(*, otlp_endpoint: str, sentry_dsn: str, release: str) -> None:
    """Begin to send traces and errors to the addresses that are not empty.

    Call it once in a process, before Django loads its middlewares. Raises NotInstalled, and
    ValueError for an address that cannot be one; the message names the setting.
    """
    if otlp_endpoint:
        _load("tracing", "OTEL_EXPORTER_OTLP_ENDPOINT", "otel").start(otlp_endpoint, release)
    if sentry_dsn:
        _load("errors", "SENTRY_DSN", "sentry").start(sentry_dsn, release)


def _load(module: str, setting: str, extra: str) -> Any:
    """Return our module that needs the packages of the extra."""
    try:
        return import_module(f"{__name__}.{module}")
    except ModuleNotFoundError as error:
        raise NotInstalled(
            f"{setting} is set, and {error.name} is not installed: pip install 'shipcrowd[{extra}]'"
        ) from error
