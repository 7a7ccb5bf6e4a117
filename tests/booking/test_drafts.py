"""The checks of a draft, and the city and state that are filled from its pincode."""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from couriers.booking.drafts import clean_draft, clean_key
from couriers.booking.preparation import prepare
from couriers.contract.errors import InvalidRequest, Unknown
from couriers.contract.types import (
    Address,
    Item,
    Parcel,
    PaymentMode,
    Serviceability,
    ShipmentDraft,
)
from tests.support.drafts import raising

ITEM = Item("T-shirt", 1, Decimal("1523"), Decimal(12))
DRAFT = ShipmentDraft(
    courier="toy",
    order_number=" A-1 ",
    order_date=dt.date(2026, 11, 23),
    payment_mode=PaymentMode.PREPAID,
    consignee=Address("Asha", "+91 98765 43210", "9, Secret Lane ", "", "", " 560008"),
    items=(ITEM,),
    parcel=Parcel(240, 30, 22, 8),
)
COD = dataclasses.replace(DRAFT, payment_mode=PaymentMode.COD, cod_amount=Decimal("1523"))


def with_(draft: ShipmentDraft = DRAFT, **changes: Any) -> ShipmentDraft:
    return dataclasses.replace(draft, **changes)


def with_item(**changes: Any) -> ShipmentDraft:
    return with_(items=(dataclasses.replace(ITEM, **changes),))


def with_consignee(**changes: Any) -> ShipmentDraft:
    return with_(consignee=dataclasses.replace(DRAFT.consignee, **changes))


def test_texts_are_trimmed_and_phone_and_state_are_normalised() -> None:
    cleaned = clean_draft(with_consignee(state="ka"))
    assert cleaned.order_number == "A-1"
    assert cleaned.consignee == Address(
        "Asha", "9876543210", "9, Secret Lane", "", "Karnataka", "560008"
    )
    assert clean_draft(COD).cod_amount == Decimal("1523")


@pytest.mark.parametrize(
    ("draft", "problems"),
    [
        (with_(order_number=" "), ["order_number: is missing"]),
        (with_(service="x" * 51), ["service: is longer than 50 characters"]),
        (with_(return_reason="a\x00b"), ["return_reason: contains control characters"]),
        (with_(order_date=dt.date(1999, 12, 31)), ["order_date: is before the year 2000"]),
        (with_consignee(phone="1"), ["consignee.phone: is not a ten-digit Indian phone number"]),
        (with_consignee(pincode=" "), ["consignee.pincode: is missing"]),
        (with_consignee(pincode="0123"), ["consignee.pincode: is not a six-digit pincode"]),
        (with_consignee(state="Texas"), ["consignee.state: is not a state of India"]),
        (with_(items=()), ["items: 1 to 500 lines"]),
        (
            with_(items=(dataclasses.replace(ITEM, value=Decimal(999_999_999)),) * 2),
            ["items: must add up to less than 1000000000 rupees"],
        ),
        (with_item(quantity=0), ["items[0].quantity: must be 1 to 100000"]),
        (with_item(value=Decimal("NaN")), ["items[0].value: must be more than 0 rupees"]),
        (with_item(value=Decimal("1.005")), ["items[0].value: has more than two decimals"]),
        (with_item(gst_rate=Decimal(101)), ["items[0].gst_rate: must be 0 to 100 per cent"]),
        (with_item(name=""), ["items[0].name: is missing"]),
        (with_(parcel=Parcel(0, 30, 22, 8)), ["parcel.weight_g: must be 1 or more"]),
        (with_(cod_amount=Decimal(1)), ["cod_amount: must be left out for a prepaid order"]),
        (with_(COD, cod_amount=Decimal(0)), ["cod_amount: must be more than 0 for COD"]),
        (with_(COD, cod_amount=Decimal("1.005")), ["cod_amount: has more than two decimals"]),
        (
            with_(order_number="", items=(), parcel=Parcel(1, 1, 0, 0)),
            [
                "items: 1 to 500 lines", "parcel.width_cm: must be 1 or more",
                "parcel.height_cm: must be 1 or more", "order_number: is missing",
            ],
        ),
    ],
)  # fmt: skip
def test_all_problems_are_reported_with_their_fields(
    draft: ShipmentDraft, problems: list[str]
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        clean_draft(draft)
    assert [f"{p.field}: {p.message}" for p in caught.value.problems] == problems


@pytest.fixture
def courier_place(able: Any) -> Any:
    """A courier that knows the city and the state of a pincode that the directory lacks."""
    able.on_call["check_serviceability"] = lambda pincode: Serviceability(
        pincode, True, city="Newtown", state="ka"
    )
    return able


def prepared_place(account: Any, **consignee: str) -> tuple[str, str]:
    draft = with_consignee(**consignee)
    place = prepare(account.company, clean_draft(draft)).request.consignee
    return place.city, place.state


def test_a_given_city_and_state_are_kept_without_a_call(account: Any, courier_place: Any) -> None:
    given = {"city": "Pune", "state": "Maharashtra", "pincode": "999999"}
    assert prepared_place(account, **given) == ("Pune", "Maharashtra")
    assert courier_place.asked == []


def test_blanks_are_filled_from_the_directory_before_the_courier(
    account: Any, courier_place: Any
) -> None:
    assert prepared_place(account, city="Whitefield") == ("Whitefield", "Karnataka")
    assert courier_place.asked == []
    assert prepared_place(account, pincode="999999") == ("Newtown", "Karnataka")
    assert courier_place.asked == [("check_serviceability", "999999")]
    assert prepared_place(account, pincode="999999", city="Pune") == ("Pune", "Karnataka")


def test_a_city_and_state_that_cannot_be_found_are_reported_as_missing(
    account: Any, able: Any
) -> None:
    answers = (
        lambda pincode: Serviceability(pincode, True, state="Texas"),
        raising(Unknown("read time-out")),
    )
    for answer in answers:
        able.on_call["check_serviceability"] = answer
        with pytest.raises(InvalidRequest) as caught:
            prepared_place(account, pincode="999999")
        assert {problem.field for problem in caught.value.problems} == {
            "consignee.city", "consignee.state",
        }  # fmt: skip


@pytest.mark.parametrize("key", ["k", "order 7/1", "é" * 255])
def test_a_key_is_stored_as_it_is(key: str) -> None:
    assert clean_key(key) == key


@pytest.mark.parametrize("key", ["", "k" * 256, "a\nb", "a\x00", "a\u202eb"])
def test_a_key_that_is_empty_too_long_or_has_control_characters_is_refused(key: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        clean_key(key)
    assert [problem.field for problem in caught.value.problems] == ["Idempotency-Key"]
