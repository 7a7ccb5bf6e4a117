"""A middleware that passes callbacks to the inbox's view before other middlewares run.

Callbacks need no session, CSRF token or user. It stands first in MIDDLEWARE. It is optional:
without it callbacks reach the same view through the URLs.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from webhooks.views import receive

# The beginning of CourierAccount.webhook_path, which is registered with couriers.
PREFIX = "/webhooks/"


class InboxMiddleware:
    """Answers POST /webhooks/{courier}/{account_id}/ itself and passes on every other request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(PREFIX):
            parts = request.path_info[len(PREFIX) :].split("/")
            if len(parts) == 3 and parts[0] and parts[1] and not parts[2]:
                return receive(request, parts[0], parts[1])
        return self.get_response(request)
