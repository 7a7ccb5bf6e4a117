"""A company that books over the API, and the order that it books."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchmarks.accounts import create_account
from couriers.contract.registry import CourierFactory
from couriers.models import CompanyApiKey, CourierAccount
from tests.support.orders import ORDER

NO_LIMIT = {"count": 100_000, "window": 1}


@dataclass(frozen=True, slots=True)
class Merchant:
    """A company's account with Ekart, and its API key."""

    account: CourierAccount
    key: str

    @classmethod
    def at(cls, base_url: str) -> Merchant:
        """Create a company whose courier is at the address, with limits that it never reaches."""
        operations = CourierFactory.adapter_class("ekart").default_limits
        account = create_account(base_url, dict.fromkeys(operations, NO_LIMIT))
        _, key = CompanyApiKey.objects.create_key(name="benchmark", company=account.company)
        return cls(account, key)


def order(courier: str, number: str) -> dict[str, Any]:
    """Return the order with this number, as the API takes it."""
    return ORDER | {"courier": courier, "order_number": number}
