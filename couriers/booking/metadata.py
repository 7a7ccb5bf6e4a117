"""A merchant's own data of a shipment: texts by name, which no courier gets."""

from __future__ import annotations

from collections.abc import Mapping

from couriers.contract.field_problems import FieldProblems
from couriers.contract.text import has_control_characters, is_storable

MAX_KEYS = 50
MAX_KEY = 40  # characters
MAX_VALUE = 500  # characters


def clean_metadata(metadata: Mapping[str, str], problems: FieldProblems) -> dict[str, str]:
    """Return the metadata as it is stored. Adds a problem for each text that cannot be."""
    problems.require(len(metadata) <= MAX_KEYS, "metadata", f"has more than {MAX_KEYS} keys")
    for key, value in list(metadata.items())[:MAX_KEYS]:
        field = f"metadata.{key[:MAX_KEY]}"
        problems.refuse(field, key_problem(key))
        problems.require(
            len(value) <= MAX_VALUE, field, f"has a value of more than {MAX_VALUE} characters"
        )
        problems.require(is_storable(value), field, "has a value that cannot be stored")
    return dict(metadata)


def key_problem(key: str) -> str | None:
    """Return the problem of a name in the metadata, or None."""
    if not 1 <= len(key) <= MAX_KEY:
        return f"has a key that is not 1 to {MAX_KEY} characters long"
    if has_control_characters(key) or "[" in key or "]" in key:
        return "has a key with brackets or control characters"
    return None
