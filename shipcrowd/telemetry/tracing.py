"""Traces: requests, tasks and calls to couriers as spans, sent over OTLP/HTTP.

The libraries that make the spans put much into them. What is sent is chosen at the end, by name.
"""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Status, StatusCode

from couriers.contract.accounts import Account
from couriers.contract.logs import get_logger
from couriers.contract.request_ids import current
from couriers.contract.signals import courier_called
from couriers.resilience import task_context  # noqa: F401 - it binds ids before spans begin
from shipcrowd.telemetry.notices import log_not_reached

log = get_logger(__name__)

ALLOWED = frozenset({
    "http.method", "http.request.method", "http.route", "http.status_code",
    "http.response.status_code", "http.scheme", "url.scheme", "http.flavor",
    "celery.action", "celery.state", "celery.task_name", "messaging.destination",
    "messaging.destination.name", "messaging.message.id", "messaging.message_id",
    "courier", "operation", "outcome", "status", "request_id", "exception.type",
})  # fmt: skip
EXPORT_TIMEOUT = 5  # seconds for one request to the collector
# The middleware of the spans comes after it, so that the way of a callback stays as short as it is.
_INBOX = "webhooks.middleware.InboxMiddleware"
_NAME = re.compile(r"[A-Za-z_ ./<>:-]{1,200}")
_NANO = 1_000_000_000


def start(endpoint: str, release: str) -> None:
    """Send spans to the collector at the endpoint, the root of its addresses."""
    provider = TracerProvider(
        resource=Resource.create(
            {"service.name": os.environ.get("OTEL_SERVICE_NAME", "shipcrowd"),
             "service.version": release}
        )
    )  # fmt: skip
    # It writes several lines about each batch, one of them as an error, which Sentry would be sent.
    logging.getLogger("opentelemetry.exporter").setLevel(logging.CRITICAL)
    exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=EXPORT_TIMEOUT)
    provider.add_span_processor(_RequestIds())
    provider.add_span_processor(BatchSpanProcessor(ScrubbingExporter(exporter)))
    trace.set_tracer_provider(provider)
    DjangoInstrumentor().instrument(
        tracer_provider=provider,
        response_hook=_add_request_id,
        middleware_position=settings.MIDDLEWARE.index(_INBOX) + 1,
    )
    CeleryInstrumentor().instrument(tracer_provider=provider)
    courier_called.connect(_on_courier_called, sender=Account)


class ScrubbingExporter(SpanExporter):
    """Passes spans on with the attributes that are ALLOWED, and of an exception its class.

    That they could not be sent is logged by sample.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export([scrubbed(span) for span in spans])
        if result is not SpanExportResult.SUCCESS:
            log_not_reached(log, "collector_not_reached")
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def scrubbed(span: ReadableSpan) -> ReadableSpan:
    """Return the span without what may be personal or secret: see ALLOWED."""
    return ReadableSpan(
        name=_name_of(span),
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_allowed(span.attributes),
        events=[Event(one.name, _allowed(one.attributes), one.timestamp) for one in span.events],
        kind=span.kind,
        # Its description is the text of an exception.
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _name_of(span: ReadableSpan) -> str:
    """Return a name that is a route, a task or an operation; another one might be a path."""
    route = (span.attributes or {}).get("http.route", "")
    is_route = bool(route) and span.name.endswith(f" {route}")
    return span.name if is_route or _NAME.fullmatch(span.name) else "unnamed"


def _allowed(attributes: Any) -> dict[str, Any]:
    return {key: value for key, value in (attributes or {}).items() if key in ALLOWED}


class _RequestIds(SpanProcessor):
    """Puts the id that log lines have into the spans of tasks and calls."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        if request_id := current():
            span.set_attribute("request_id", request_id)


def _add_request_id(span: trace.Span, request: Any, response: Any) -> None:
    """Put the id into the span of a request, which began before the id was known."""
    span.set_attribute("request_id", response.headers.get("X-Request-ID", ""))


def _on_courier_called(
    courier: str, operation: str, outcome: str, status: int, seconds: float, **_: Any
) -> None:
    end = time.time_ns()
    span = trace.get_tracer(__name__).start_span(
        f"{courier} {operation}",
        kind=trace.SpanKind.CLIENT,
        start_time=end - int(seconds * _NANO),
        attributes={
            "courier": courier, "operation": operation, "outcome": outcome, "status": status,
        },
    )  # fmt: skip
    if outcome != "ok":
        span.set_status(StatusCode.ERROR)
    span.end(end)
