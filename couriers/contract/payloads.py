"""What the bodies of couriers' calls are built with. Pure."""

from __future__ import annotations

from typing import Any


def given(**fields: Any) -> dict[str, Any]:
    """Return the fields that have a value: the others are left out, not sent empty."""
    return {name: value for name, value in fields.items() if value}
