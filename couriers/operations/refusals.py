"""The entry of the audit trail for a request of staff that was refused.

One entry is written for a user, a page and a minute, however often it is sent. It names the page
and the method, and never what was sent.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from couriers.contract.logs import get_logger
from couriers.models.audit import record
from couriers.resilience.database import is_outage

log = get_logger(__name__)

REFUSED = "refused"  # the action of the entry
_READS = ("GET", "HEAD", "OPTIONS", "TRACE")


def record_refusal(request: HttpRequest, user: Any) -> None:
    """Record that the user's request would have changed something and was refused.

    Records nothing for nobody, for a request that reads, and where the minute has an entry.
    """
    if user is None or not user.is_authenticated or request.method in _READS:
        return
    match = request.resolver_match
    page = match.view_name if match is not None else ""
    minute = timezone.now().strftime("%Y-%m-%dT%H:%M")
    once = f"{REFUSED} {user.pk} {page} {minute}"[:300]
    details = {"page": page, "method": str(request.method)}
    log.warning("request_refused", actor=str(user.pk), route=page, method=str(request.method))
    try:
        record(None, REFUSED, actor=user, details=details, once=once)
    except Exception as error:
        if not is_outage(error):
            raise
