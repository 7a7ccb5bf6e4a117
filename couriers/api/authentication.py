"""Authentication of a company by its API key, or of staff by a session.

The key is sent as `Authorization: Api-Key …` or `Authorization: Bearer …`.
The views ask for either, so that a request with valid credentials of the other kind is told that it
is not allowed (403), and only one without credentials that it must authenticate (401).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from couriers.api import key_use
from couriers.models import Company, CompanyApiKey

KEYWORD = "Api-Key"
# The scheme of HTTP clients that know no other (RFC 6750).
KEYWORDS = (KEYWORD.casefold(), "bearer")


class KeyExpired(AuthenticationFailed):
    """The key is right, and its time is over. Only its holder is told so."""

    def __init__(self, key: CompanyApiKey) -> None:
        end = key.expiry_date.astimezone(dt.UTC) if key.expiry_date else ""
        super().__init__(f"The API key {key.prefix}… expired at {end:%Y-%m-%dT%H:%M:%SZ}.")


class ApiClient:
    """The user of a request with an API key: a company, not a person."""

    is_authenticated = True
    is_staff = False

    def __init__(self, company: Company) -> None:
        self.company = company

    def __str__(self) -> str:
        return f"API client of {self.company.slug}"


class ApiKeyAuthentication(BaseAuthentication):
    """Finds the key by its prefix and compares its hash. One statement reads key and company."""

    def authenticate(self, request: Request) -> tuple[ApiClient, CompanyApiKey] | None:
        """The client and its key, or None for a header of another scheme.

        Raises AuthenticationFailed for a key that is unknown or revoked, and for one of an
        inactive company; KeyExpired for one whose time is over.
        """
        keyword, _, key = request.headers.get("Authorization", "").partition(" ")
        if keyword.casefold() not in KEYWORDS:
            return None
        stored = self._find(key.strip())
        if stored is None or stored.revoked or not stored.company.is_active:
            raise AuthenticationFailed("The API key is unknown or revoked.")
        if stored.has_expired:
            raise KeyExpired(stored)
        key_use.note(stored.prefix)
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


class AdminSession(SessionAuthentication):
    """A session of the admin, which begins on the admin's login page."""

    def authenticate_header(self, request: Request) -> str:
        return "Session"


def company_of(request: Request) -> Company:
    """The company of the request's API key. Every query of a view is limited to its rows."""
    client: Any = request.user
    assert isinstance(client, ApiClient)
    return client.company
