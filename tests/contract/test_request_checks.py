"""The checks of a request that plug-ins share, and the splitting of ids and goods."""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from couriers.contract.batches import batches
from couriers.contract.field_problems import FieldProblems
from couriers.contract.goods import goods_of
from couriers.contract.options import Options
from couriers.contract.request_checks import (
    OrderLimits,
    check_addresses,
    check_booking,
    check_ewaybill,
    check_order_number,
    check_phone,
    check_return,
    check_seller,
    check_texts,
)
from couriers.contract.types import (
    Address,
    Direction,
    Item,
    Parcel,
    PaymentMode,
    Pickup,
    Seller,
    ShipmentRequest,
)
from tests.support.factories import GSTIN

HERE = Address("Asha", "9845012345", "1, Example Road", "Bengaluru", "Karnataka", "560001")
REQUEST = ShipmentRequest(
    order_number="A-1",
    order_date=dt.date(2026, 11, 23),
    direction=Direction.FORWARD,
    payment_mode=PaymentMode.COD,
    cod_amount=Decimal(500),
    consignee=HERE,
    items=(
        Item("Mug", 2, Decimal(300), Decimal(12)),
        Item("Tea", 1, Decimal(200), Decimal(5), category="Food", hsn_code="0902"),
    ),
    parcel=Parcel(1500, 10, 10, 10),
    seller=Seller("Acme", GSTIN, "1, Example Road", "Karnataka"),
    pickup=Pickup("whs_0123456789", "", HERE),
)


def fields(problems: FieldProblems) -> list[str]:
    return [problem.field for problem in problems]


def with_(**changes: Any) -> ShipmentRequest:
    return dataclasses.replace(REQUEST, **changes)


def test_a_limit_that_is_not_set_limits_nothing() -> None:
    assert OrderLimits().problems_of(with_(cod_amount=Decimal(10**8), service="ANY")) == []


def test_what_is_beyond_a_limit_is_named() -> None:
    limits = OrderLimits(Decimal(499), 1_400, ("AIR", "ROAD"))
    problems = limits.problems_of(with_(service="SEA"))
    assert [(p.field, p.message) for p in problems] == [
        ("cod_amount", "is more than ₹499"),
        ("parcel.weight_g", "is more than 1.4 kg"),
        ("service", "is not one of AIR, ROAD"),
    ]
    assert fields(limits.problems_of(REQUEST, is_weighed=False)) == ["cod_amount"]
    assert OrderLimits(Decimal(500), 1_500, ("AIR",)).problems_of(with_(service="AIR")) == []


def test_a_seller_and_addresses_are_whole() -> None:
    problems = FieldProblems()
    check_seller(REQUEST.seller, problems)
    check_addresses(REQUEST, problems)
    assert problems == []
    check_seller(Seller("", "29", "", "Atlantis"), problems)
    assert fields(problems) == ["seller.gstin", "seller.name", "seller.address", "seller.state"]
    problems = FieldProblems()
    nowhere = Address("", "12345", "", "", "Atlantis", "000001")
    check_addresses(with_(consignee=nowhere), problems)
    assert fields(problems) == [
        f"consignee.{part}" for part in ("phone", "pincode", "state", "name", "address", "city")
    ]


def test_a_return_has_a_reason_and_collects_nothing() -> None:
    problems = FieldProblems()
    check_return(REQUEST, problems)
    assert fields(problems) == ["return_reason", "cod_amount"]
    problems.clear()
    check_return(with_(return_reason="Wrong size", cod_amount=Decimal(0)), problems)
    assert problems == []


@pytest.mark.parametrize(
    "text", ["", "12345", "0845012345", "९८४५०१२३४५", "98450 2345", "+9845012345"]
)
def test_a_phone_has_ten_ascii_digits(text: str) -> None:
    problems = FieldProblems()
    check_phone(text, problems)
    assert fields(problems) == ["phone"]


def test_goods_are_the_lines_as_one() -> None:
    goods = goods_of(REQUEST.items, max_length=6)
    assert (goods.description, goods.quantity) == ("Mug, T", 3)
    assert (goods.category, goods.hsn_code) == ("Food", "0902")


def test_ids_are_split_into_batches_each_once_and_in_order() -> None:
    assert list(batches(["c", "a", "c", "b"], 2)) == [["c", "a"], ["b"]]
    assert list(batches([], 2)) == []


def test_a_new_reference_tells_addresses_apart() -> None:
    moved = dataclasses.replace(
        REQUEST.pickup, address=dataclasses.replace(HERE, address="7, Another Road")
    )
    first, second = REQUEST.pickup.new_reference(), moved.new_reference()
    assert first.startswith("asha-23456789-")
    assert first != second


def test_names_and_addresses_are_checked_for_length_and_letters() -> None:
    problems = FieldProblems()
    consignee = dataclasses.replace(HERE, address="x" * 11, city="दिल्ली")
    items = (dataclasses.replace(REQUEST.items[0], name="Mug 🎉"),)
    request = dataclasses.replace(REQUEST, consignee=consignee, items=items)
    check_texts(request, problems, most={"name": 4, "street": 10, "city": 20})
    assert [problem.field for problem in problems] == [
        "consignee.address", "consignee.city", "warehouse.address", "items[0].name",
    ]  # fmt: skip


class SmallOptions(Options):
    courier_name = "Small"
    packages: int = 0
    check: bool = False


def booking_fields(**changes: Any) -> list[str]:
    limits = OrderLimits(max_cod=Decimal(500))
    _, problems = check_booking(
        with_(**changes), SmallOptions, limits, forward=["packages"], returns=["check"]
    )
    return fields(problems)


RETURN = {
    "direction": Direction.REVERSE,
    "return_reason": "Wrong size",
    "cod_amount": Decimal(0),
}


def test_a_booking_has_its_options_and_the_problems_of_any_courier() -> None:
    options, problems = check_booking(with_(options={"packages": 2}), SmallOptions)
    assert (options.packages, problems) == (2, [])
    assert booking_fields(options={"size": 1}) == ["options.size"]
    assert booking_fields(cod_amount=Decimal(501)) == ["cod_amount"]
    assert booking_fields(consignee=dataclasses.replace(HERE, city="")) == ["consignee.city"]
    assert booking_fields(**RETURN) == []
    assert booking_fields(**RETURN | {"return_reason": ""}) == ["return_reason"]


def test_an_option_of_the_other_direction_is_refused() -> None:
    assert booking_fields(options={"check": True}) == ["options.check"]
    assert booking_fields(options={"packages": 2}) == []
    assert booking_fields(**RETURN, options={"check": True}) == []
    assert booking_fields(**RETURN, options={"packages": 2}) == ["options.packages"]


def test_an_order_number_is_what_the_courier_takes() -> None:
    problems = FieldProblems()
    check_order_number(with_(order_number="A-1"), problems, most=3, refused="&%")
    assert problems == []
    for number in ("", "A-10", "A&%"):
        check_order_number(with_(order_number=number), problems, most=3, refused="&%")
    assert [problem.message for problem in problems] == [
        "must have 1 to 3 characters for this courier",
        "must have 1 to 3 characters for this courier",
        "has % &, which the courier does not take",
    ]


@pytest.mark.parametrize(
    ("rupees", "number", "above", "message"),
    [
        (500, "", False, "is required from ₹500"),
        (500, "", True, ""),
        (499, "", True, "is required above ₹499"),
        (501, "", False, ""),
        (500, "123456789012", False, ""),
    ],
)
def test_dear_goods_need_an_e_way_bill(rupees: int, number: str, above: bool, message: str) -> None:
    problems = FieldProblems()
    check_ewaybill(REQUEST, number, problems, Decimal(rupees), above=above)
    assert [problem.message for problem in problems] == ([message] if message else [])
