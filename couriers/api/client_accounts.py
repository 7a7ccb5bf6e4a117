"""The accounts that a request may use: its company's, of its key's mode."""

from __future__ import annotations

from rest_framework.request import Request

from couriers.api.authentication import company_of, is_test
from couriers.booking.permission import account_of
from couriers.models import CourierAccount


def client_account(request: Request, courier: str) -> CourierAccount:
    """The account with a courier, of the key's mode. Raises as `account_of` does."""
    return account_of(company_of(request), courier, is_test=is_test(request))
