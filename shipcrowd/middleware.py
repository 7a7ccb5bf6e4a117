"""The project's middlewares: each request's id, its metrics, and a header of browsers' features.

The metrics are django-prometheus'. docs/metrics.md lists them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django_prometheus.middleware import PrometheusAfterMiddleware

from couriers.resilience.request_context import with_request_id

# Features of a browser that no page uses.
PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


# Asked every few seconds by machines: their answers are logged where they are slow.
PROBES = ("/healthz", "/readyz", "/metrics")


def request_id(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware by which every answer has X-Request-ID, and every log line the id."""
    answer = with_request_id(get_response)
    answer_to_probe = with_request_id(get_response, is_logged=False)

    def answer_with_id(request: HttpRequest) -> HttpResponseBase:
        is_probe = request.path_info.rstrip("/") in PROBES
        return (answer_to_probe if is_probe else answer)(request)

    return answer_with_id


def permissions_policy(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware that sets Permissions-Policy."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        return response

    return answer


class RequestMetrics(PrometheusAfterMiddleware):
    """Counts requests and answers by view, and measures how long they took.

    It stands before the other middlewares, so that it sees what they refuse. The name of a method
    is the client's own text: the library bounds it in all of its labels but one.
    """

    def label_metric(
        self, metric: Any, request: HttpRequest, response: Any = None, **labels: str
    ) -> Any:
        """Return the metric's child for the labels."""
        if "method" in labels:
            labels["method"] = self._method(request)
        return super().label_metric(metric, request, response, **labels)
