"""`Authorization: Api-Key …`: a storefront speaks for its company."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from couriers.models import Company, CompanyApiKey

KEYWORD = "Api-Key"


class ApiClient:
    """Who an API request is: a company, not a person."""

    is_authenticated = True
    is_staff = False

    def __init__(self, company: Company) -> None:
        self.company = company

    def __str__(self) -> str:
        return f"API client of {self.company.slug}"


class ApiKeyAuthentication(BaseAuthentication):
    """Looks the key up by its prefix and compares its hash; one statement, the company with it."""

    def authenticate(self, request: Request) -> tuple[ApiClient, CompanyApiKey] | None:
        """The company of the key; None where the header speaks another scheme."""
        keyword, _, key = request.headers.get("Authorization", "").partition(" ")
        if keyword.casefold() != KEYWORD.casefold():
            return None
        stored = self._find(key.strip())
        if stored is None or stored.revoked or stored.has_expired or not stored.company.is_active:
            raise AuthenticationFailed("The API key is unknown, revoked or expired.")
        return ApiClient(stored.company), stored

    def authenticate_header(self, request: Request) -> str:
        return KEYWORD

    def _find(self, key: str) -> CompanyApiKey | None:
        prefix, _, secret = key.partition(".")
        if not prefix or not secret or len(key) > 200:
            return None
        generator = CompanyApiKey.objects.key_generator
        candidates = CompanyApiKey.objects.select_related("company").filter(prefix=prefix)
        return next((c for c in candidates if generator.verify(key, c.hashed_key)), None)


class ApiKeyScheme(OpenApiAuthenticationExtension):
    """How the schema describes the key."""

    target_class = "couriers.api.authentication.ApiKeyAuthentication"
    name = "ApiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Authorization: Api-Key <key>`",
        }


def company_of(request: Request) -> Company:
    """The company that the request speaks for; every query is scoped to it."""
    client: Any = request.user
    assert isinstance(client, ApiClient)
    return client.company
