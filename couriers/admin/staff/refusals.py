"""A POST to the admin that a member of staff may not make is in the audit trail."""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from couriers.operations.refusals import record_refusal


class RefusalMiddleware:
    """Writes the entry. It stands after the middleware that loads the user."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Record that a page of the admin refused the request. Its answer is Django's 403."""
        match = request.resolver_match
        if isinstance(exception, PermissionDenied) and match and "admin" in match.app_names:
            record_refusal(request, getattr(request, "user", None))
