"""Permissions of the API: a company by its key, or staff by their permissions of the admin."""

from typing import Any

from django.contrib.auth import get_permission_codename
from django.db.models import Model
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from couriers.api.authentication import ApiClient


class IsCompany(BasePermission):
    """Allows requests with a company's API key."""

    message = "An API key of a company is needed."

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.user, ApiClient)


class IsPermittedStaff(BasePermission):
    """Allows staff who have at least one of the permissions in the view's `allowed_by`."""

    message = "A member of staff with the permission for it is needed."

    def has_permission(self, request: Request, view: Any) -> bool:
        user = request.user  # None where a host's REST_FRAMEWORK has UNAUTHENTICATED_USER None
        is_staff = getattr(user, "is_staff", False)
        return is_staff and any(user.has_perm(name) for name in view.allowed_by)


def view_permissions(model: type[Model]) -> tuple[str, ...]:
    """The permissions to see a model's rows. Any one of them is enough, as in the admin."""
    meta = model._meta
    return tuple(
        f"{meta.app_label}.{get_permission_codename(action, meta)}" for action in ("view", "change")
    )
