"""The page on which a member of staff switches the own second factor on or off."""

from __future__ import annotations

from base64 import b32encode
from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django_otp import login

from couriers.api.problems import bad_request
from couriers.models.audit import record
from shipcrowd.staff import second_factor
from shipcrowd.staff.middleware import PAGE
from shipcrowd.staff.policies import OFF, REQUIRED

WRONG = "The code is wrong, or was used before. Wait for the next one and try again."


@sensitive_post_parameters()
def second_factor_page(request: HttpRequest) -> HttpResponse:
    """GET and POST: the state of the user's second factor, and what can be done about it.

    Each change needs a code. Recovery codes are shown once, in the answer that makes them.
    """
    if second_factor.policy() == OFF:
        raise Http404
    user: Any = request.user
    if second_factor.app_of(user) is None:
        return _switch_on(request, user)
    if not user.is_verified():
        return redirect("admin:index")  # where the middleware has them log in again
    return _change(request, user)


def _switch_on(request: HttpRequest, user: Any) -> HttpResponse:
    if request.method == "POST":
        device = second_factor.switch_on(user, request.POST.get("code", ""))
        if device is not None:
            login(request, device)
            request.session.cycle_key()
            record(user, "second_factor_on", actor=user)
            return _page(request, codes=second_factor.new_recovery_codes(user))
        messages.error(request, WRONG)
    device = second_factor.pending_app(user)
    return _page(request, qr_code=second_factor.qr_code(device), secret=_in_groups(device.bin_key))


def _change(request: HttpRequest, user: Any) -> HttpResponse:
    if request.method == "POST":
        if second_factor.verified(user, request.POST.get("code", "")) is None:
            messages.error(request, WRONG)
        elif "off" not in request.POST:
            record(user, "recovery_codes", actor=user)
            return _page(request, codes=second_factor.new_recovery_codes(user))
        elif second_factor.policy() == REQUIRED:
            messages.error(request, "All staff needs a second factor here.")
        else:
            second_factor.switch_off(user)
            record(user, "second_factor_off", actor=user)
            messages.warning(request, "The second factor is switched off.")
            return redirect("admin:index")
    return _page(request)


def _page(request: HttpRequest, **more: Any) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "title": "Second factor",
        "codes_left": second_factor.recovery_codes_left(request.user),
        "may_switch_off": second_factor.policy() != REQUIRED,
        "page": PAGE,
        **more,
    }
    return render(request, "staff/second_factor.html", context)


def _in_groups(secret: bytes) -> str:
    """Return the secret as authenticator apps take it typed: base32, in groups of four."""
    text = b32encode(secret).decode()
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def refused(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what the user may not do: a page of the admin in words, anything else as the API."""
    match = request.resolver_match
    if match is None or "admin" not in match.app_names:
        return bad_request(request, exception)
    context = {
        **admin.site.each_context(request),
        "title": "You may not do this",
        "message": str(exception),
    }
    return render(request, "staff/refused.html", context, status=403)
