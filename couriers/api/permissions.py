"""Who may ask: a company with a key."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from couriers.api.authentication import ApiClient


class IsCompany(BasePermission):
    """Only with a company's API key."""

    message = "An API key of a company is needed."

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.user, ApiClient)
