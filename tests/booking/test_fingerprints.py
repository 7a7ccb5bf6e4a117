"""Requests that are recognised by the hashes of their fields."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from couriers.booking.fingerprints import differences, fingerprints_of
from tests.support.drafts import DRAFT, draft_with


def test_the_same_request_has_no_differences() -> None:
    assert differences(fingerprints_of(DRAFT), draft_with()) == ()


def test_the_fields_that_differ_are_named() -> None:
    consignee = dataclasses.replace(DRAFT.consignee, phone="9123456780", city="Pune")
    other = draft_with(service="EXPRESS", consignee=consignee, options={"n": 1})
    assert differences(fingerprints_of(DRAFT), other) == (
        "consignee.city", "consignee.phone", "options", "service",
    )  # fmt: skip


def test_the_hashes_show_nothing_and_differ_from_one_request_to_the_next() -> None:
    first, second = fingerprints_of(DRAFT), fingerprints_of(DRAFT)
    assert set(first) == set(second)
    assert not {first[field] for field in first} & {second[field] for field in second}
    assert "Asha" not in json.dumps(first)


def test_a_request_is_recognised_after_the_secret_key_was_changed(settings: Any) -> None:
    settings.SECRET_KEY = "old"
    stored = fingerprints_of(DRAFT)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", ["old"]
    assert differences(stored, DRAFT) == ()
    settings.SECRET_KEY_FALLBACKS = []
    assert "order_number" in differences(stored, DRAFT)


def test_a_field_that_was_not_stored_differs() -> None:
    stored = fingerprints_of(DRAFT)
    del stored["service"]
    assert differences(stored, DRAFT) == ("service",)
