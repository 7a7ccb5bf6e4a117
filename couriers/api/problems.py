"""Errors as RFC 9457 problem+json with a stable `type`.

The class of the failure decides the status: what a storefront may do next is to be read from it.
`type` is relative to the API's root, `/problems/<name>`, and is documented in docs/api.md.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from rest_framework import exceptions as drf
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from couriers.contract import errors
from couriers.contract.platform_errors import (
    ActionNotAllowed,
    BookingInFlight,
    KeyReused,
    NotInDoubt,
    NotReturnable,
    OrderAlreadyLive,
    PlatformError,
    TooEarly,
    UnknownCourier,
)

log = structlog.get_logger(__name__)

CONTENT_TYPE = "application/problem+json"
DATABASE_AWAY = (OperationalError, InterfaceError)


class ProblemRenderer(JSONRenderer):
    """JSON under the problem's own media type."""

    media_type = CONTENT_TYPE


def problem(
    name: str,
    title: str,
    status: int,
    detail: str = "",
    *,
    retry_after: float | None = None,
    **more: Any,
) -> Response:
    """A problem response; `retry_after` in seconds becomes the header too, at least 1."""
    data: dict[str, Any] = {"type": f"/problems/{name}", "title": title, "status": status}
    if detail:
        data["detail"] = detail
    data |= {key: value for key, value in more.items() if value not in ("", None, [])}
    headers = {}
    if retry_after is not None:
        seconds = max(1, math.ceil(retry_after))
        headers["Retry-After"] = str(seconds)
        data["retry_after"] = seconds
    return Response(data, status=status, headers=headers, content_type=CONTENT_TYPE)


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's hook: everything a view may raise, as a problem. None leaves it a 500."""
    response = _from(error)
    if response is not None:
        request = context.get("request")
        if request is not None:
            # So that the problem is JSON whatever the client said it accepts.
            request.accepted_renderer = ProblemRenderer()
            request.accepted_media_type = CONTENT_TYPE
    return response


def _from(error: Exception) -> Response | None:
    if isinstance(error, errors.CourierError):
        return _from_courier(error)
    if isinstance(error, PlatformError):
        return _from_platform(error)
    if isinstance(error, DATABASE_AWAY):
        log.error("database_unavailable", error=type(error).__name__)
        return problem(
            "database-unavailable",
            "Not available at the moment",
            503,
            "The database does not answer. "
            "Ask again with the same Idempotency-Key: what was done is not done twice.",
            retry_after=5,
        )
    if isinstance(error, drf.ValidationError):
        return _invalid(list(_flatten(error.detail)))
    if isinstance(error, RequestDataTooBig):
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        return problem("too-large", "The body is too large", 413, f"It may have {most} bytes.")
    if isinstance(error, Http404):
        return problem("not-found", "Not found", 404)
    if isinstance(error, PermissionDenied):
        return problem("forbidden", "Not allowed", 403)
    if isinstance(error, drf.APIException):
        return _from_drf(error)
    return None


def _invalid(found: list[dict[str, str]]) -> Response:
    return problem(
        "validation",
        "The request is not valid",
        400,
        "; ".join(f"{p['field']}: {p['message']}" for p in found)[:1000],
        errors=found,
    )


def _from_courier(error: errors.CourierError) -> Response:
    more: dict[str, Any] = {"courier_message": error.courier_message, "courier": error.courier}
    if isinstance(error, errors.InvalidRequest):
        return _invalid([{"field": p.field, "message": p.message} for p in error.problems])
    if isinstance(error, errors.NotSupported):
        return problem(
            "not-supported", "The courier does not offer this", 422, error.message, **more
        )
    if isinstance(error, errors.NotFound):
        return problem("not-found", "The courier knows no such thing", 404, error.message, **more)
    if isinstance(error, errors.Rejected):
        return problem("rejected", "The courier refused", 422, error.message, **more)
    if isinstance(error, errors.NotSent):
        return problem(
            "not-sent",
            "The courier was not called",
            503,
            error.message,
            retry_after=error.retry_after or 1,
            **more,
        )
    if isinstance(error, errors.NotDone):
        return problem(
            "not-done",
            "The courier did nothing",
            503,
            error.message,
            retry_after=error.retry_after or 1,
            **more,
        )
    return problem("unknown-outcome", "The courier's answer was lost", 502, error.message, **more)


_PLATFORM: Mapping[type[PlatformError], tuple[str, str, int]] = {
    KeyReused: ("key-reused", "The key stands for another request", 422),
    BookingInFlight: ("in-flight", "This booking is being made right now", 409),
    OrderAlreadyLive: ("order-live", "The order has a live shipment", 409),
    NotReturnable: ("not-returnable", "The shipment cannot be returned", 409),
    NotInDoubt: ("not-in-doubt", "The booking is not in doubt", 409),
    TooEarly: ("too-early", "The call may still be on its way", 409),
}


def _from_platform(error: PlatformError) -> Response:
    if isinstance(error, UnknownCourier):
        return _invalid([{"field": "courier", "message": str(error)}])
    if isinstance(error, ActionNotAllowed):
        name, title, status = error.name, error.title, 409
    else:
        name, title, status = _PLATFORM[type(error)]
    return problem(name, title, status, error.detail, retry_after=error.retry_after, **error.facts)


_DRF = {
    drf.ParseError: "malformed",
    drf.NotAuthenticated: "unauthenticated",
    drf.AuthenticationFailed: "unauthenticated",
    drf.PermissionDenied: "forbidden",
    drf.NotFound: "not-found",
    drf.MethodNotAllowed: "method-not-allowed",
    drf.NotAcceptable: "not-acceptable",
    drf.UnsupportedMediaType: "unsupported-media-type",
    drf.Throttled: "throttled",
}


def _from_drf(error: drf.APIException) -> Response:
    response = problem(
        _DRF.get(type(error), "error"),
        str(error.default_detail),
        error.status_code,
        str(error.detail),
        retry_after=getattr(error, "wait", None),
    )
    if header := getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = header
    return response


def _flatten(detail: Any, path: str = "") -> Iterable[dict[str, str]]:
    """Nested validation errors as fields with a path: `consignee.phone`, `items[0].value`."""
    if isinstance(detail, dict):
        for key, value in detail.items():
            if key == "non_field_errors":
                yield from _flatten(value, path)
            elif isinstance(key, int):
                yield from _flatten(value, f"{path}[{key}]")
            else:
                yield from _flatten(value, f"{path}.{key}" if path else str(key))
    elif isinstance(detail, list) and any(isinstance(part, (dict, list)) for part in detail):
        for number, part in enumerate(detail):
            yield from _flatten(part, f"{path}[{number}]")
    elif isinstance(detail, list):
        for part in detail:
            yield {"field": path, "message": str(part)}
    else:
        yield {"field": path, "message": str(detail)}


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler400: what Django refuses before or beside a view of the API."""
    refused = _from(exception) or problem("malformed", "Malformed request", 400)
    return _without_a_view(request, refused)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404: a problem below /api/, a plain page elsewhere."""
    return _without_a_view(request, problem("not-found", "Not found", 404))


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500: a database that is away is a 503; of anything else nothing is told."""
    error = sys.exc_info()[1]
    away = _from(error) if isinstance(error, DATABASE_AWAY) else None
    return _without_a_view(request, away or problem("internal", "Something went wrong", 500))


def _without_a_view(request: HttpRequest, answer: Response) -> HttpResponse:
    """A problem where no view of the API answers it: as JSON below /api/, else as its title."""
    headers = {"Retry-After": answer["Retry-After"]} if "Retry-After" in answer else {}
    if request.path.startswith("/api/"):
        return JsonResponse(
            answer.data, status=answer.status_code, headers=headers, content_type=CONTENT_TYPE
        )
    return HttpResponse(
        f"{answer.data['title']}\n",
        status=answer.status_code,
        headers=headers,
        content_type="text/plain; charset=utf-8",
    )
