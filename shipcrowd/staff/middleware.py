"""A middleware that keeps staff without their second factor out of the admin and the staff API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from couriers.api.ops import OpsView
from couriers.api.problems import bad_request, server_error
from couriers.resilience.database import is_outage
from shipcrowd.staff import second_factor

PAGE = "second-factor"
_OPEN = {"admin:login", "admin:logout", "admin:jsi18n", PAGE}


class SecondFactorMiddleware:
    """Sends whoever must have a second factor to the page that switches it on.

    Whoever has one and logged in without it, before it was switched on, must log in again. It
    stands after OTPMiddleware.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Answer in the place of a view that the user may not see yet.

        Nobody passes while the database cannot tell.
        """
        try:
            return self._refusal(request, view)
        except Exception as error:
            if not is_outage(error):
                raise
            return server_error(request)

    def _refusal(self, request: HttpRequest, view: Any) -> HttpResponse | None:
        match = request.resolver_match
        is_api = issubclass(getattr(view, "cls", type), OpsView)
        is_admin = match is not None and "admin" in match.app_names
        if match is None or match.view_name in _OPEN or not (is_api or is_admin):
            return None
        user: Any = request.user
        if not (user.is_authenticated and user.is_staff and second_factor.must_verify(user)):
            return None
        if is_api:
            return bad_request(request, PermissionDenied())
        if not user.has_second_factor:
            return redirect(PAGE)
        logout(request)
        return redirect_to_login(request.get_full_path(), reverse("admin:login"))
