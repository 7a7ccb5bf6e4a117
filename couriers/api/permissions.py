"""Who may ask: a company with a key, or staff with the permission."""

from typing import Any

from django.contrib.auth import get_permission_codename
from django.db.models import Model
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from couriers.api.authentication import ApiClient


class IsCompany(BasePermission):
    """Only with a company's API key."""

    message = "An API key of a company is needed."

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.user, ApiClient)


class IsPermittedStaff(BasePermission):
    """Only staff with one of the permissions that the view names in `needs`, as in the admin."""

    def has_permission(self, request: Request, view: Any) -> bool:
        user = request.user
        return bool(user.is_staff and any(user.has_perm(name) for name in view.needs))


def to_view(model: type[Model]) -> tuple[str, ...]:
    """What the admin asks for before it shows rows of a model."""
    meta = model._meta
    return tuple(
        f"{meta.app_label}.{get_permission_codename(action, meta)}" for action in ("view", "change")
    )
