"""Accounts to test an adapter with: one without a database, and one that is stored."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from couriers.contract.adapter import BaseCourierAdapter
from couriers.contract.receiver import Topic
from couriers.contract.types import Limit
from couriers.models import Company, Courier, CourierAccount, Warehouse

NOWHERE = "http://127.0.0.1:9"  # the port of "discard": nothing answers there
PLENTY = {"count": 100_000, "window": 1}  # calls and seconds, so that no test waits


@dataclass(frozen=True)
class DetachedAccount:
    """An account without a database. Whoever calls its courier gets no connection."""

    login: Mapping[str, str]
    courier_id: str
    pk: str = "acc_conformance"
    company_id: int = 0
    base_url: str = NOWHERE
    webhook_secret: str = ""
    webhook_url: str = "https://shop.example/webhooks/"
    settings: dict[str, Any] = field(default_factory=dict)
    updated_at: dt.datetime = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

    def topic_url(self, topic: Topic) -> str:
        return f"{self.webhook_url}{topic.value}/"

    def limit_of(self, operation: str, default: Limit) -> Limit:
        return default


def detached_account(adapter_class: type[BaseCourierAdapter]) -> DetachedAccount:
    """Return an account whose login has a random value in each of the courier's fields."""
    login = {one.name: secrets.token_hex(12) for one in adapter_class.login_fields}
    return DetachedAccount(login, adapter_class.code)


def stored_account(
    adapter_class: type[BaseCourierAdapter], base_url: str, login: Mapping[str, str]
) -> CourierAccount:
    """Store a company with a warehouse, and its account with the courier at this base URL.

    Its limits are so high that no call waits.
    """
    company = Company.objects.create(
        slug=f"conformance-{secrets.token_hex(6)}", name="Conformance", gstin="29AAGCR4375J1ZU",
        address="1, Example Road", city="Bengaluru", state="Karnataka", pincode="560001",
        phone="9845012345",
    )  # fmt: skip
    Warehouse.objects.create(
        company=company, name="Main", contact_name="Main gate", phone="9845012345",
        address="1, Example Road", city="Bengaluru", state="Karnataka", pincode="560001",
        is_default=True, email="warehouse@shop.example",
    )  # fmt: skip
    courier, _ = Courier.objects.get_or_create(
        code=adapter_class.code, defaults={"name": adapter_class.name}
    )
    return CourierAccount.objects.create(
        company=company, courier=courier, base_url=base_url,
        login=dict(login), limits=dict.fromkeys(adapter_class.default_limits, PLENTY),
    )  # fmt: skip
