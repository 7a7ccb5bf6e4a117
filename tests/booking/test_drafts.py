"""The checks of a draft, and the city and state that are filled from its pincode."""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st

from couriers.booking.drafts import clean_draft, clean_key
from couriers.contract import india
from couriers.contract.errors import InvalidRequest
from couriers.contract.types import (
    Address,
    Item,
    Parcel,
    PaymentMode,
    ShipmentDraft,
)

TODAY = dt.date(2026, 11, 28)
NOON = dt.datetime.combine(TODAY, dt.time(12), india.IST)
ITEM = Item("T-shirt", 1, Decimal("1523"), Decimal(5))
DRAFT = ShipmentDraft(
    courier="toy",
    order_number=" A-1 ",
    order_date=dt.date(2026, 11, 23),
    payment_mode=PaymentMode.PREPAID,
    consignee=Address("Asha", "+91 98450 12345", "9, Secret Lane ", "", "", " 560008"),
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
        "Asha", "9845012345", "9, Secret Lane", "", "Karnataka", "560008"
    )
    assert clean_draft(COD).cod_amount == Decimal("1523")


@pytest.mark.parametrize(
    ("draft", "problems"),
    [
        (with_(order_number=" "), ["order_number: is missing"]),
        (with_(service="x" * 101), ["service: is longer than 100 characters"]),
        (with_(return_reason="a\x00b"), [
            "return_reason: contains U+0000 (a control character), which cannot be seen: remove it"
        ]),
        (
            with_(order_date=TODAY + dt.timedelta(days=1)),
            [f"order_date: is in the future: today is {TODAY} in India"],
        ),
        (
            with_(order_date=dt.date(2020, 11, 22)),
            ["order_date: is before 2020-11-23: is the year right?"],
        ),
        (
            with_(invoice_date=dt.date(206, 11, 24)),
            ["invoice_date: is before 2020-11-23: is the year right?"],
        ),
        (with_consignee(phone="1"), ["consignee.phone: is not a ten-digit Indian phone number"]),
        (with_consignee(pincode=" "), ["consignee.pincode: is missing"]),
        (with_consignee(pincode="0123"), ["consignee.pincode: is not a six-digit pincode"]),
        (with_consignee(state="Texas"), ["consignee.state: is not a state of India"]),
        (
            with_consignee(state="MH"),
            ["consignee.state: is Maharashtra, but the pincode lies in Karnataka"],
        ),
        (with_(items=()), ["items: 1 to 500 lines"]),
        (
            with_(items=(dataclasses.replace(ITEM, value=Decimal(999_999_999)),) * 2),
            ["items: must add up to less than 1000000000 rupees"],
        ),
        (with_item(quantity=0), ["items[0].quantity: must be 1 to 100000"]),
        (with_item(value=Decimal("NaN")), [
            "items[0].value: must be at least 0 and less than 1000000000 rupees"
        ]),
        (with_item(value=Decimal("1.005")), ["items[0].value: has more than two decimals"]),
        (with_item(value=Decimal(0)), ["items: are worth nothing: one needs a value"]),
        (
            with_item(gst_rate=Decimal("0.18")),
            [
                "items[0].gst_rate: is not a GST rate on 2026-11-23: was 18 meant?"
                " (the rates are 0, 0.1, 0.25, 1.5*, 3, 5, 6*, 12*, 18, 40;"
                " *: of certain goods only)"
            ],
        ),
        (
            with_item(hsn_code="902"),
            [
                "items[0].hsn_code: must have 4, 6 or 8 digits:"
                " was it 0902 before a spreadsheet cut the zero?"
            ],
        ),
        (with_item(name=""), ["items[0].name: is missing"]),
        (with_(parcel=Parcel(0, 30, 22, 8)), ["parcel.weight_g: must be 1 to 1000000"]),
        (with_(cod_amount=Decimal(1)), ["cod_amount: must be left out for a prepaid order"]),
        (with_(COD, cod_amount=Decimal(0)), ["cod_amount: must be more than 0 for COD"]),
        (with_(COD, cod_amount=Decimal("1.005")), ["cod_amount: has more than two decimals"]),
        (
            with_(order_number="", items=(), parcel=Parcel(1, 1, 0, 0)),
            [
                "items: 1 to 500 lines", "parcel.width_cm: must be 1 to 1000000",
                "parcel.height_cm: must be 1 to 1000000", "order_number: is missing",
            ],
        ),
    ],
)  # fmt: skip
def test_all_problems_are_reported_with_their_fields(
    draft: ShipmentDraft, problems: list[str]
) -> None:
    with time_machine.travel(NOON), pytest.raises(InvalidRequest) as caught:
        clean_draft(draft)
    assert [f"{p.field}: {p.message}" for p in caught.value.problems] == problems


def test_texts_of_one_line_are_made_of_lines_and_joiners_stay() -> None:
    cleaned = clean_draft(
        with_consignee(
            name="രവി അവന്\u200d",
            address="1, Lane\nNear Temple \u200e",
            phone="\u202a98450\u201112345\u202c",
            pincode="\u200e560\u00a0008",
        )
    ).consignee
    assert cleaned.name == "രവി അവന്\u200d"
    assert cleaned.address == "1, Lane Near Temple"
    assert (cleaned.phone, cleaned.pincode) == ("9845012345", "560008")


def test_a_gift_is_shipped_with_an_order_that_is_worth_something() -> None:
    gift = dataclasses.replace(ITEM, name="Sachet", value=Decimal(0))
    assert [item.value for item in clean_draft(with_(items=(ITEM, gift))).items] == [1523, 0]


def test_todays_order_and_one_of_six_years_ago_are_taken() -> None:
    with time_machine.travel(NOON):
        assert clean_draft(with_(order_date=TODAY)).warnings == ()
        old = clean_draft(with_(order_date=dt.date(2020, 11, 23)))
    assert [(w.field, w.code) for w in old.warnings] == [("order_date", "order_date_old")]


@settings(deadline=None)  # the first example loads the data
@given(st.decimals(), st.decimals(), st.decimals(), st.sampled_from(PaymentMode))
def test_any_amount_is_taken_or_refused_by_its_field(
    value: Decimal, rate: Decimal, cod: Decimal, mode: PaymentMode
) -> None:
    item = dataclasses.replace(ITEM, value=value, gst_rate=rate)
    try:
        cleaned = clean_draft(with_(items=(item, ITEM), cod_amount=cod, payment_mode=mode))
    except InvalidRequest as error:
        refused = {problem.field for problem in error.problems}
    else:
        refused = set()
        assert 0 <= cleaned.items[0].value < 10**9
        assert any(period.percent == rate for period in india.RATES)
    assert refused <= {"items[0].value", "items[0].gst_rate", "items", "cod_amount"}


@pytest.mark.parametrize("amount", ["1e26", "1e400", "1E-400", "NaN", "sNaN", "Infinity", "-1"])
def test_an_amount_that_cannot_be_paid_is_refused_by_its_field(amount: str) -> None:
    for draft, field in (
        (with_item(value=Decimal(amount)), "items[0].value"),
        (with_item(gst_rate=Decimal(amount)), "items[0].gst_rate"),
        (with_(COD, cod_amount=Decimal(amount)), "cod_amount"),
        (with_(cod_amount=Decimal(amount)), "cod_amount"),
    ):
        with pytest.raises(InvalidRequest) as caught:
            clean_draft(draft)
        assert {problem.field for problem in caught.value.problems} == {field}


@pytest.mark.parametrize("key", ["k", "order 7/1", "é" * 255])
def test_a_key_is_stored_as_it_is(key: str) -> None:
    assert clean_key(key) == key


@pytest.mark.parametrize("key", ["", "k" * 256, "a\nb", "a\x00", "a\u202eb"])
def test_a_key_that_is_empty_too_long_or_has_control_characters_is_refused(key: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        clean_key(key)
    assert [problem.field for problem in caught.value.problems] == ["Idempotency-Key"]
