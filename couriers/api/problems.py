"""Errors as problem responses: RFC 9457 `application/problem+json` with a stable `type`.

Which problem an error becomes is in problem_types.py. docs/api.md lists every problem and what a
client does next.
"""

from __future__ import annotations

import logging
import math
import sys
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from django.conf import settings
from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.core.signals import got_request_exception
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from rest_framework import exceptions as drf
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.settings import api_settings

from couriers.api.problem_types import (
    COURIER_PROBLEMS,
    FRAMEWORK_PROBLEMS,
    INTERNAL,
    MALFORMED,
    NOT_FOUND,
    PLATFORM_PROBLEMS,
    VALIDATION,
    ProblemType,
)
from couriers.contract import errors, platform_errors
from couriers.contract.content_policy import HEADER, NOTHING, plain_page
from couriers.contract.errors import CourierError
from couriers.contract.logs import get_logger
from couriers.contract.platform_errors import PlatformError
from couriers.contract.request_ids import current as current_request_id
from couriers.models.addresses import NoAddress, path_of
from couriers.resilience.database import RETRY_AFTER, Outage, leave_connection, outage_of
from couriers.resilience.unavailable import unavailable_page

log = get_logger(__name__)
django_log = logging.getLogger("django.request")

CONTENT_TYPE = "application/problem+json"
MAX_DETAIL = 1000  # characters of a `detail` that lists fields

E = TypeVar("E", bound=Exception)
T = TypeVar("T")

# In the place of the framework's messages with these codes, which name types of Python.
MESSAGES = {"not_a_list": "must be a list", "not_a_dict": "must be an object"}


class ProblemRenderer(JSONRenderer):
    """Renders JSON with the media type of problems."""

    media_type = CONTENT_TYPE
    compact = True
    ensure_ascii = False
    strict = True


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """The EXCEPTION_HANDLER of the API's views: the problem of any error that a view raised.

    An unexpected error is logged as Django logs one, and is a 500 without details. With DEBUG it
    returns None, and Django shows its own page.
    """
    request = context.get("request")
    response = _problem_for(error)
    if response is None:
        if settings.DEBUG:
            return None
        response = _internal_error(getattr(request, "_request", None))
    if request is not None:
        # A problem is JSON even where the client does not accept JSON.
        request.accepted_renderer = ProblemRenderer()
        request.accepted_media_type = CONTENT_TYPE
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400: the problem of a request that is refused outside of the API's views."""
    refused = _problem_for(exception) or problem(*MALFORMED)
    return _django_response(request, refused)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    return _django_response(request, problem(*NOT_FOUND))


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: 503 where the database cannot serve, else 500 without details."""
    error = sys.exc_info()[1]
    if outage := outage_of(error):
        leave_connection(error)
        if _is_of_the_api(request):
            return _django_response(request, _database_unavailable(outage))
        return unavailable_page(outage)
    return _django_response(request, problem(*INTERNAL))


def problem(
    name: str,
    title: str,
    status: int,
    detail: str = "",
    *,
    retry_after: float | None = None,
    **members: Any,
) -> Response:
    """A problem response. `members` are added to its body, without the empty ones.

    `retry_after` is in seconds. It is rounded up to at least 1, for the header and the body.
    """
    data: dict[str, Any] = {"type": type_of(name), "title": title, "status": status}
    if detail:
        data["detail"] = detail
    members["request_id"] = current_request_id()
    data |= {key: value for key, value in members.items() if value not in ("", None, [])}
    headers = {}
    if retry_after is not None:
        seconds = max(1, math.ceil(retry_after))
        headers["Retry-After"] = str(seconds)
        data["retry_after"] = seconds
    return Response(data, status=status, headers=headers, content_type=CONTENT_TYPE)


def type_of(name: str) -> str:
    """The `type` of a problem: the path of its page, `/problems/<name>` in our own project."""
    try:
        return path_of("couriers_problems:problem", name)
    except NoAddress:  # couriers.W010
        return f"/problems/{name}"


def _internal_error(request: HttpRequest | None) -> Response:
    """The problem of an unexpected error, which is being handled; it is reported as by Django."""
    got_request_exception.send(sender=None, request=request)
    path = request.path if request is not None else ""
    django_log.error("Internal Server Error: %s", path, exc_info=True, extra={"request": request})
    response: Any = problem(*INTERNAL)
    response._has_been_logged = True  # as Django's log_response marks it, so that it does not again
    return response


def _problem_for(error: Exception) -> Response | None:
    """The problem of an error, or None for an unexpected one."""
    if isinstance(error, CourierError):
        return _courier_problem(error)
    if isinstance(error, PlatformError):
        return _platform_problem(error)
    if outage := outage_of(error):
        leave_connection(error)
        return _database_unavailable(outage)
    if isinstance(error, drf.ValidationError):
        return _validation_problem(list(field_errors(error.detail)))
    if isinstance(error, RequestDataTooBig):
        limit = getattr(error, "limit", settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        return problem("too-large", "The body is too large", 413, f"It may have {limit} bytes.")
    if isinstance(error, (SuspiciousOperation, BadRequest)):
        return problem(*MALFORMED)
    if isinstance(error, Http404):
        return problem(*NOT_FOUND)
    if isinstance(error, PermissionDenied):
        return problem("forbidden", "Not allowed", 403)
    if isinstance(error, drf.APIException):
        return _framework_problem(error)
    return None


def _courier_problem(error: CourierError) -> Response:
    if isinstance(error, errors.InvalidRequest):
        return _validation_problem(
            [{"field": p.field, "message": p.message} for p in error.problems]
        )
    may_be_repeated = isinstance(error, (errors.NotSent, errors.NotDone))
    # Asking again does not help there: an operator must enable the courier first.
    retryable = may_be_repeated and not isinstance(error, errors.CourierNotEnabled)
    return problem(
        *_nearest(COURIER_PROBLEMS, error),
        error.message,
        retry_after=(error.retry_after or 1) if retryable else None,
        courier_message=error.courier_message,
        courier=error.courier,
    )


def _platform_problem(error: PlatformError) -> Response:
    if isinstance(error, platform_errors.UnknownCourier):
        return _validation_problem([{"field": "courier", "message": str(error)}])
    if isinstance(error, platform_errors.ActionNotAllowed):
        problem_type = ProblemType(error.name, error.title, 409)
    else:
        problem_type = _nearest(PLATFORM_PROBLEMS, error)
    return problem(*problem_type, error.detail, retry_after=error.retry_after, **error.facts)


def _nearest(table: Mapping[type[E], T], error: E) -> T:
    """The entry of the error's own class, or of the nearest base class that has one."""
    return next(table[cls] for cls in type(error).__mro__ if cls in table)


def _database_unavailable(outage: Outage) -> Response:
    log.error("database_unavailable", reason=outage.value)
    return problem(
        "database-unavailable",
        "Not available at the moment",
        503,
        "The database cannot serve at the moment. "
        "Ask again with the same Idempotency-Key: nothing is done twice.",
        retry_after=RETRY_AFTER,
    )


def _validation_problem(found: list[dict[str, str]]) -> Response:
    detail = "; ".join(f"{p['field']}: {p['message']}" for p in found)
    return problem(*VALIDATION, detail[:MAX_DETAIL], errors=found)


def _framework_problem(error: drf.APIException) -> Response:
    response = problem(
        *_nearest(FRAMEWORK_PROBLEMS, error),
        error.status_code,
        str(error.detail),
        retry_after=getattr(error, "wait", None),
    )
    if header := getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = header
    return response


def field_errors(detail: Any, path: str = "") -> Iterable[dict[str, str]]:
    """Nested validation errors as fields with a path: `consignee.phone`, `items[0].value`."""
    if isinstance(detail, dict):
        for key, value in detail.items():
            if key == api_settings.NON_FIELD_ERRORS_KEY:
                yield from field_errors(value, path)
            elif isinstance(key, int):
                yield from field_errors(value, f"{path}[{key}]")
            else:
                yield from field_errors(value, f"{path}.{key}" if path else str(key))
    elif isinstance(detail, list) and any(isinstance(part, (dict, list)) for part in detail):
        for number, part in enumerate(detail):
            yield from field_errors(part, f"{path}[{number}]")
    elif isinstance(detail, list):
        for part in detail:
            yield {"field": path, "message": _message(part)}
    else:
        yield {"field": path, "message": _message(detail)}


def _message(detail: Any) -> str:
    """The framework's message, unless it speaks of Python's types."""
    return MESSAGES.get(getattr(detail, "code", ""), str(detail))


def _django_response(request: HttpRequest, answer: Response) -> HttpResponse:
    """A problem outside of DRF: the same JSON below the API, a page or plain text elsewhere."""
    headers = {HEADER: NOTHING}
    if "Retry-After" in answer:
        headers["Retry-After"] = answer["Retry-After"]
    if _is_of_the_api(request):
        return JsonResponse(
            answer.data, status=answer.status_code, headers=headers, content_type=CONTENT_TYPE
        )
    if "text/html" in request.headers.get("Accept", ""):
        page = render_to_string("couriers/error.html", answer.data)
        return HttpResponse(
            page, status=answer.status_code, headers=headers | {HEADER: plain_page()}
        )
    return HttpResponse(
        f"{answer.data['title']}\n",
        status=answer.status_code,
        headers=headers,
        content_type="text/plain; charset=utf-8",
    )


def _is_of_the_api(request: HttpRequest) -> bool:
    try:
        root = path_of("couriers_api:schema").removesuffix("schema/")
    except NoAddress:
        return False
    return request.path.startswith(root)
