"""The short way to the inbox, without session, CSRF token and user: they mean nothing there.

Listed first in MIDDLEWARE. Without it callbacks still arrive, by way of the URLs.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from webhooks.views import receive

# As in CourierAccount.webhook_path, which is what couriers are told.
PREFIX = "/webhooks/"


class InboxMiddleware:
    """Hands callbacks to the inbox before any other middleware sees them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(PREFIX):
            parts = request.path_info[len(PREFIX) :].split("/")
            if len(parts) == 3 and parts[0] and parts[1] and not parts[2]:
                return receive(request, parts[0], parts[1])
        return self.get_response(request)
