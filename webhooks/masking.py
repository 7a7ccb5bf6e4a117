"""A callback as people may see it: without what tells of a person. Pure."""

from __future__ import annotations

from typing import Any

PERSONAL = (
    "name", "phone", "mobile", "contact", "address", "email", "consignee", "customer", "receiver",
    "recipient", "buyer", "otp",
)  # fmt: skip
HIDDEN = "•••"


def without_people(value: Any) -> Any:
    """A payload with every field that may tell of a person hidden, whatever is in it."""
    if isinstance(value, dict):
        return {
            key: HIDDEN if any(p in str(key).casefold() for p in PERSONAL) else without_people(part)
            for key, part in value.items()
        }
    return [without_people(part) for part in value] if isinstance(value, list) else value
