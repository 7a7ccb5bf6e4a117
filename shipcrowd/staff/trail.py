"""Logins of staff in the audit trail: who logged in, and who was refused."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.utils import timezone

from couriers.models.audit import record

NO_NAME = "somebody unknown"


def connect() -> None:
    """Record logins from now on."""
    user_logged_in.connect(_logged_in, dispatch_uid="shipcrowd.staff.trail")
    user_login_failed.connect(_refused, dispatch_uid="shipcrowd.staff.trail")


def _logged_in(sender: Any, request: Any, user: Any, **_: Any) -> None:
    """Record a login by a page. One that a program makes has no request that was sent."""
    if user.is_staff and getattr(request, "method", None):
        record(user, "login", actor=user)


def _refused(sender: Any, credentials: Any, request: Any = None, **_: Any) -> None:
    """Record a refused login, once a minute for each user and once for all unknown names.

    A name that no user has is not written: somebody may have typed a password there.
    """
    if not getattr(request, "method", None):
        return
    model = get_user_model()
    name = str(credentials.get("username") or "")
    user = model._default_manager.filter(**{model.USERNAME_FIELD: name}).first()
    minute = timezone.now().strftime("%Y-%m-%dT%H:%M")
    details = {} if user else {"name": NO_NAME}
    once = f"login_refused {user.pk if user else ''} {minute}"
    record(user, "login_refused", details=details, once=once)
