"""A middleware that passes callbacks to the inbox's view before other middlewares run.

Callbacks need no session, CSRF token or user. It stands first in MIDDLEWARE. It is optional:
without it callbacks reach the same view through the URLs.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

from django.apps import apps
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponseBase

from couriers.contract.registry import CourierFactory
from couriers.models.addresses import NoAddress, path_below_root
from webhooks.converters import TOPIC_BY_NAME


class InboxMiddleware:
    """Answers {prefix}/{courier}/{account_id}/[{topic}/] itself, also without the last slash.

    The prefix is the one under which the project includes `webhooks.urls`. Every other request,
    and one for a courier that has no plug-in, is passed on.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        if "shipcrowd_webhooks" not in apps.app_configs:
            raise MiddlewareNotUsed("webhooks is not in INSTALLED_APPS")  # couriers.E014
        from webhooks.views import receive

        self._receive = receive
        self.get_response = get_response
        self._prefix: str | None = None

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        prefix = self._prefix
        if prefix is None:
            # The URLs are loaded with the first request, not with the middleware.
            prefix = self._prefix = _inbox_prefix()
        if prefix and request.path_info.startswith(prefix):
            # Other parts may be included below the same prefix, so the courier must be known.
            courier, *rest = request.path_info[len(prefix) :].removesuffix("/").split("/")
            if rest and rest[0] and CourierFactory.receiver(courier):
                if len(rest) == 1:
                    return self._receive(request, courier, rest[0])
                if len(rest) == 2 and (topic := TOPIC_BY_NAME.get(rest[1])):
                    return self._receive(request, courier, rest[0], topic)
        return self.get_response(request)


def _inbox_prefix() -> str:
    """Return the path below which callbacks arrive, or "" where it has no fixed one."""
    try:
        return unquote(path_below_root("shipcrowd_webhooks:receive", "x", "x").removesuffix("x/x/"))
    except NoAddress:
        return ""
