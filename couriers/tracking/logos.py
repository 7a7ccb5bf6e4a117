"""The public images of companies' logos."""

from __future__ import annotations

import re

from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from couriers.contract.content_policy import nothing, with_policy
from couriers.models import CompanyLogo
from couriers.resilience.unavailable import page_while_away

_DIGEST = re.compile("[0-9a-f]{32}")
A_YEAR = 365 * 24 * 60 * 60  # seconds


@page_while_away
@transaction.non_atomic_requests
@login_not_required
@with_policy(nothing)
@require_safe
def logo(request: HttpRequest, digest: str) -> HttpResponse:
    """GET /track/logos/{digest}: the image of this digest, or 404.

    Another image has another digest, so every cache may keep it.
    """
    found = None
    if _DIGEST.fullmatch(digest):
        found = CompanyLogo.objects.filter(digest=digest).only("content", "content_type").first()
    if found is None:
        return HttpResponse("No such logo.\n", status=404, content_type="text/plain; charset=utf-8")
    return HttpResponse(
        bytes(found.content),
        content_type=found.content_type,
        headers={
            "Cache-Control": f"public, max-age={A_YEAR}, immutable",
            "X-Content-Type-Options": "nosniff",
            "Content-Disposition": "inline",
        },
    )
