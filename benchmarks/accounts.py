"""Creating a company with an Ekart account for one benchmark."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from couriers.models import CourierAccount
from couriers_ekart.seeding import seed


def create_account(
    base_url: str, limits: Mapping[str, Mapping[str, Any]] | None = None
) -> CourierAccount:
    """Create a company with one account at `base_url`; `limits` are its own rate limits."""
    mark = uuid.uuid4().hex[:8]
    seeded = seed(
        f"bench-{mark}",
        {
            "name": "Bench", "gstin": "29AAGCR4375J1ZU", "address": "1 Example Road",
            "city": "Bengaluru", "state": "Karnataka", "pincode": "560001", "phone": "9845012345",
        },
        {
            "base_url": base_url, "client_id": f"sandbox@{mark}", "username": "sandbox",
            "password": "sandbox",
        },
        dict(limits or {}),
    )  # fmt: skip
    account: CourierAccount = seeded.account
    return account
