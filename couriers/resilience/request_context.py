"""Answers a request under its id, and logs how long that took.

The views of the API and of the inbox do it themselves, so that they need no middleware of a host
project. Where a middleware has done it before, they leave it at that.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponseBase

from couriers.conf import tunables
from couriers.contract.logs import get_logger
from couriers.contract.request_ids import ATTRIBUTE, HEADER, bound, taken_or_made

log = get_logger(__name__)

_META = f"HTTP_{HEADER.upper().replace('-', '_')}"
Answer = Callable[..., HttpResponseBase]


def with_request_id(answer: Answer, *, is_logged: bool = True) -> Answer:
    """Decorate a view, or a middleware's `get_response`: its log lines and its answer have an id.

    The id is the request's X-Request-ID, or a new one. The answer is logged as `request_answered`,
    unless `is_logged` is False; one that took longer than SLOW_REQUEST always, as `slow_request`.
    """

    @functools.wraps(answer)
    def answer_with_id(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if hasattr(request, ATTRIBUTE):
            return answer(request, *args, **kwargs)
        request_id = taken_or_made(request.META.get(_META))
        setattr(request, ATTRIBUTE, request_id)
        started = time.perf_counter()
        with bound(request_id):
            response = answer(request, *args, **kwargs)
            _log_answer(request, response, time.perf_counter() - started, is_logged=is_logged)
        response.headers.setdefault(HEADER, request_id)
        return response

    return answer_with_id


def request_id_of(request: HttpRequest) -> str:
    """Return the id of a request that is being answered; "" outside of `with_request_id`."""
    return str(getattr(request, ATTRIBUTE, ""))


def _log_answer(
    request: HttpRequest, response: HttpResponseBase, seconds: float, *, is_logged: bool
) -> None:
    is_slow = seconds > tunables().SLOW_REQUEST
    if not (is_slow or is_logged):
        return
    # The route, and never the path or the query: those may hold what identifies a person.
    match = request.resolver_match
    facts = {
        "method": request.method,
        "route": match.route if match else "",
        "status": response.status_code,
        "milliseconds": round(seconds * 1000),
    }
    if is_slow:
        log.warning("slow_request", **facts)
    else:
        log.info("request_answered", **facts)
