"""Creating a company with an Ekart account for one benchmark."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from couriers.models import CourierAccount
from couriers.operations.seeding import AccountDetails, seed


def create_account(
    base_url: str, limits: Mapping[str, Mapping[str, Any]] | None = None
) -> CourierAccount:
    """Create a company with one account at `base_url`; `limits` are its own rate limits."""
    mark = uuid.uuid4().hex[:8]
    login = {"client_id": f"sandbox@{mark}", "username": "sandbox", "password": "sandbox"}
    seeded = seed(
        "ekart",
        f"bench-{mark}",
        {
            "name": "Bench", "gstin": "29AAGCR4375J1ZU", "address": "1 Example Road",
            "city": "Bengaluru", "state": "Karnataka", "pincode": "560001", "phone": "9845012345",
        },
        AccountDetails(base_url, login),
        dict(limits or {}),
    )  # fmt: skip
    return seeded.account
