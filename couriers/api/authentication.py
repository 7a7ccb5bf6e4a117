"""Authentication of a company by its API key, or of staff by a session.

The key is sent as `Authorization: Api-Key …` or `Authorization: Bearer …`.
The views ask for either, so that a request with valid credentials of the other kind is told that it
is not allowed (403), and only one without credentials that it must authenticate (401).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from couriers.api import key_use
from couriers.models import Company, CompanyApiKey
from couriers.models.compiled import CompiledQuery, Slot
from couriers.models.key_format import allows, prefix_of
from couriers.resilience.client_address import client_address

KEYWORD = "Api-Key"
# The scheme of HTTP clients that know no other (RFC 6750).
KEYWORDS = (KEYWORD.casefold(), "bearer")
_KEYS = CompiledQuery(
    CompanyApiKey,
    lambda: CompanyApiKey.objects.select_related("company").filter(prefix=Slot("prefix")),
)


class KeyExpired(AuthenticationFailed):
    """The key is right, and its time is over. Only its holder is told so."""

    def __init__(self, key: CompanyApiKey) -> None:
        end = key.expiry_date.astimezone(dt.UTC) if key.expiry_date else ""
        super().__init__(f"The API key {key.prefix}… expired at {end:%Y-%m-%dT%H:%M:%SZ}.")


class AddressNotAllowed(PermissionDenied):
    """The key is right, and may not be used from where the request comes from."""

    def __init__(self, key: CompanyApiKey, address: str) -> None:
        super().__init__(
            f"The API key {key.prefix}… may not be used from {address or 'an unknown address'}."
        )


class ApiClient:
    """The user of a request with an API key: a company in test or live mode, not a person."""

    is_authenticated = True
    is_staff = False

    def __init__(self, company: Company, *, is_test: bool) -> None:
        self.company = company
        self.is_test = is_test

    def __str__(self) -> str:
        return f"API client of {self.company.slug}"


class ApiKeyAuthentication(BaseAuthentication):
    """Finds the key by its prefix and compares its hash. One statement reads key and company."""

    def authenticate(self, request: Request) -> tuple[ApiClient, CompanyApiKey] | None:
        """The client and its key, or None for a header of another scheme.

        Raises AuthenticationFailed for a key that is unknown or revoked, and for one of an
        inactive company; KeyExpired for one whose time is over; AddressNotAllowed for one that may
        not be used from the client's address.
        """
        keyword, _, key = request.headers.get("Authorization", "").partition(" ")
        if keyword.casefold() not in KEYWORDS:
            return None
        stored = self._find(key.strip())
        if stored is None or stored.revoked or not stored.company.is_active:
            raise AuthenticationFailed("The API key is unknown or revoked.")
        if stored.has_expired:
            raise KeyExpired(stored)
        if stored.allowed_networks:
            address = client_address(request._request)
            if not allows(stored.allowed_networks, address):
                raise AddressNotAllowed(stored, address)
        key_use.note(stored.prefix)
        return ApiClient(stored.company, is_test=stored.is_test), stored

    def authenticate_header(self, request: Request) -> str:
        return KEYWORD

    def _find(self, key: str) -> CompanyApiKey | None:
        prefix = prefix_of(key)
        if prefix is None:
            return None
        generator = CompanyApiKey.objects.key_generator
        candidates = _KEYS.rows(prefix=prefix)
        return next((c for c in candidates if generator.verify(key, c.hashed_key)), None)


class AdminSession(SessionAuthentication):
    """A session of the admin, which begins on the admin's login page."""

    def authenticate_header(self, request: Request) -> str:
        return "Session"


def company_of(request: Request) -> Company:
    """The company of the request's API key. Every query of a view is limited to its rows."""
    return client_of(request).company


def client_of(request: Request) -> ApiClient:
    """The client of the request: its company and its mode."""
    client: Any = request.user
    assert isinstance(client, ApiClient)
    return client


def is_test(request: Request) -> bool:
    """Whether the request's API key is a test key, which sees and makes test rows alone."""
    return client_of(request).is_test


def of_client(request: Request) -> dict[str, Any]:
    """The filter that limits a query to the rows of the key's company in the key's mode."""
    client = client_of(request)
    return {"company": client.company, "is_test": client.is_test}
