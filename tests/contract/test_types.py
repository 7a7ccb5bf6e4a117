"""The neutral types of the contract."""

from __future__ import annotations

import dataclasses

import pytest

from couriers.contract.types import Address

ADDRESS = Address("Asha", "9876543210", "9, Secret Lane", "Pune", "Maharashtra", "411004")


def test_equal_addresses_have_the_same_fingerprint() -> None:
    found = ADDRESS.fingerprint()
    assert found == dataclasses.replace(ADDRESS).fingerprint()
    assert len(bytes.fromhex(found)) == 32


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Address)])
def test_a_change_in_any_field_changes_the_fingerprint(field: str) -> None:
    assert dataclasses.replace(ADDRESS, **{field: "x"}).fingerprint() != ADDRESS.fingerprint()


def test_text_that_moves_to_the_next_field_changes_the_fingerprint() -> None:
    one = dataclasses.replace(ADDRESS, city="New", state="Delhi")
    other = dataclasses.replace(ADDRESS, city="New Delhi", state="")
    assert one.fingerprint() != other.fingerprint()
