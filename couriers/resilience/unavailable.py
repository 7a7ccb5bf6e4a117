"""The page that a browser gets while PostgreSQL cannot serve, in any project."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from couriers.contract.content_policy import HEADER, plain_page
from couriers.contract.logs import get_logger
from couriers.resilience.database import (
    RETRY_AFTER,
    Outage,
    leave_connection,
    outage_of,
)

log = get_logger(__name__)

View = TypeVar("View", bound=Callable[..., Any])


def page_while_away(view: View) -> View:
    """Decorator of a view with pages: it answers 503 with Retry-After during an outage.

    So does a page that is rendered after the view has returned it, as the admin's are.
    """

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        response = _or_unavailable(view)(request, *args, **kwargs)
        if callable(render := getattr(response, "render", None)):
            response.render = _or_unavailable(render)
        return response

    return cast("View", guarded)


def unavailable_page(outage: Outage) -> HttpResponse:
    """Return the 503 page, which no cache keeps. The reason is logged, and told to nobody else."""
    log.error("database_unavailable", reason=outage.value)
    content = render_to_string("couriers/unavailable.html")
    headers = {"Retry-After": RETRY_AFTER, "Cache-Control": "no-store", HEADER: plain_page()}
    return HttpResponse(content, status=503, headers=headers)


def _or_unavailable(make: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return make(*args, **kwargs)
        except Exception as error:
            outage = outage_of(error)
            if outage is None:
                raise
            connection = transaction.get_connection()
            if connection.in_atomic_block:  # ATOMIC_REQUESTS
                connection.set_rollback(True)
            leave_connection(error)
            return unavailable_page(outage)

    return call
