"""What django-axes asks of the project: the client's address, and the page of a lock-out."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from typing import Any

from axes.helpers import get_client_username, get_cool_off
from axes.models import AccessAttempt
from django.contrib import admin
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from couriers.resilience.client_address import client_address


def address(request: HttpRequest) -> str | None:
    """Return the client's address as the table of failures takes it; None if it is unknown."""
    return client_address(request) or None


def locked_out(
    request: Any, response: HttpResponse | None, credentials: Mapping[str, Any] | None
) -> HttpResponse:
    """Answer a login that is locked out: 429, with the seconds until it is not."""
    seconds = _seconds_left(request, get_client_username(request, dict(credentials or {})))
    context = {**admin.site.each_context(request), "minutes": math.ceil(seconds / 60)}
    answer = render(request, "staff/locked_out.html", context, status=429)
    answer["Retry-After"] = str(seconds)
    answer["Cache-Control"] = "no-store"
    return answer


def _seconds_left(request: Any, username: str | None) -> int:
    """Return the seconds until the last failure of the user from this address counts no more."""
    cool_off = get_cool_off(request) or dt.timedelta()
    failures = AccessAttempt.objects.filter(username=username, ip_address=request.axes_ip_address)
    last = failures.aggregate(last=Max("attempt_time"))["last"] or timezone.now()
    return max(1, math.ceil((last + cool_off - timezone.now()).total_seconds()))
