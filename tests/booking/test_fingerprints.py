"""Requests that are recognised by the hashes of their fields."""

from __future__ import annotations

import dataclasses
import json
from decimal import Decimal
from typing import Any

import pytest
from django.utils.crypto import salted_hmac

from couriers.booking.fingerprints import compute_fingerprints, differing_fields
from tests.support.drafts import DRAFT, draft_with


def test_the_same_request_has_no_differences() -> None:
    assert differing_fields(compute_fingerprints(DRAFT), draft_with()) == ()


def test_the_fields_that_differ_are_named() -> None:
    consignee = dataclasses.replace(DRAFT.consignee, phone="9123456780", city="Pune")
    other = draft_with(service="EXPRESS", consignee=consignee, options={"n": 1})
    assert differing_fields(compute_fingerprints(DRAFT), other) == (
        "consignee.city", "consignee.phone", "options", "service",
    )  # fmt: skip


def test_the_hashes_differ_for_each_request_and_reveal_nothing() -> None:
    first, second = compute_fingerprints(DRAFT), compute_fingerprints(DRAFT)
    assert set(first) == set(second)
    assert not {first[field] for field in first} & {second[field] for field in second}
    assert "Asha" not in json.dumps(first)


def test_a_request_is_recognised_after_the_secret_key_was_rotated(settings: Any) -> None:
    settings.SECRET_KEY = "old"
    stored = compute_fingerprints(DRAFT)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", ["old"]
    assert differing_fields(stored, DRAFT) == ()
    settings.SECRET_KEY_FALLBACKS = []
    assert "order_number" in differing_fields(stored, DRAFT)


def test_the_hashes_are_those_that_were_stored_before(settings: Any) -> None:
    settings.SECRET_KEY = "secret"
    stored = compute_fingerprints(DRAFT)
    purpose = "couriers.booking.fingerprints" + stored["salt"]
    value = f'"{DRAFT.order_number}"'
    hashed = salted_hmac(purpose, value, secret="secret", algorithm="sha256").hexdigest()
    assert stored["order_number"] == hashed[:24]


def test_a_field_that_was_not_stored_differs() -> None:
    stored = compute_fingerprints(DRAFT)
    del stored["service"]
    assert differing_fields(stored, DRAFT) == ("service",)


@pytest.mark.parametrize(
    ("stored", "sent"),
    [
        ("1149.00", "1149"), ("1149", "1149.00"), ("1149.50", "1149.5"), ("1000", "1E+3"),
        ("0", "0.00"), ("0", "-0"), ("0", "0E+3"), ("12345678901234567890123456789.10",
        "12345678901234567890123456789.1"),
    ],
)  # fmt: skip
def test_an_amount_is_the_same_however_many_zeros_it_is_written_with(
    stored: str, sent: str
) -> None:
    assert differing_fields(compute_fingerprints(worth(stored)), worth(sent)) == ()


@pytest.mark.parametrize(("stored", "sent"), [("1149", "1149.01"), ("100", "1"), ("10", "100")])
def test_another_amount_differs(stored: str, sent: str) -> None:
    assert differing_fields(compute_fingerprints(worth(stored)), worth(sent)) == (
        "cod_amount", "items[].value",
    )  # fmt: skip


def worth(rupees: str) -> Any:
    """Return a draft whose COD amount and line have this value."""
    (item,) = DRAFT.items
    line = dataclasses.replace(item, value=Decimal(rupees))
    return draft_with(cod_amount=Decimal(rupees), items=(line,))
