"""Where the sandbox goes: one pincode, two of them, and the whole list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.process import SandboxProcess
from tests.support.sandbox_client import LANE, Ekart, assert_refused

COD_LANE = LANE | {"paymentType": "COD", "codAmount": "1500", "serviceType": "EXPRESS"}
NEEDED = sorted(set(COD_LANE) - {"serviceType"})


def lane(ekart: Ekart, **changes: Any) -> Any:
    body = {key: value for key, value in (COD_LANE | changes).items() if value is not None}
    return ekart.call("POST", "/data/v3/serviceability", body)


def details(ekart: Ekart, pincode: str) -> dict[str, Any]:
    return dict(ekart.call("GET", f"/api/v2/serviceability/{pincode}").json())


@pytest.mark.parametrize(
    ("pincode", "cod", "most"),
    [("560001", True, 49999), ("998001", True, 5000), ("997001", False, 0)],
)
def test_pincodes_differ_in_the_cash_they_take(
    held: Ekart, pincode: str, cod: bool, most: int
) -> None:
    found = details(held, pincode)["details"]
    assert (found["cod"], found["max_cod_amount"], found["forward_drop"]) == (cod, most, True)


def test_a_pincode_that_is_nowhere_has_no_details(held: Ekart) -> None:
    assert details(held, "999001") == {
        "status": False, "pincode": 999001, "remark": "Not serviceable"
    }  # fmt: skip


@pytest.mark.parametrize("pincode", ["56000", "5600011", "012345", "56000a"])
def test_a_pincode_has_six_digits(held: Ekart, pincode: str) -> None:
    answer = held.call("GET", f"/api/v2/serviceability/{pincode}")
    assert_refused(answer, "six digits")


def test_a_lane_is_answered_with_days_and_charges_in_texts(held: Ekart) -> None:
    (group,) = lane(held).json()
    assert group["tat"] == {"min": 2, "max": 3}
    assert group["courierGroup"] == "EKART_EXPRESS"
    assert group["forwardDeliveredCharges"] == {
        "forwardFreight": "35.50", "forwardFuelSurcharge": "3.55", "codCharges": "35.00",
        "deliveredTotalTax": "13.33", "totalForwardDeliveredEstimate": "87.38",
    }  # fmt: skip
    for charges in ("rtoDeliveredCharges", "reverseDeliveredCharges"):
        assert all(isinstance(amount, str) for amount in group[charges].values())


def test_a_lane_without_a_service_lists_every_courier_group(held: Ekart) -> None:
    groups = lane(held, serviceType=None).json()
    assert [g["courierGroup"] for g in groups] == ["EKART_SURFACE", "EKART_EXPRESS"]


@pytest.mark.parametrize(
    "changes",
    [
        {"pickupPincode": "999001"},
        {"dropPincode": "999001"},
        {"dropPincode": "997001"},
        {"dropPincode": "998001", "codAmount": "5001"},
    ],
)
def test_a_lane_that_nobody_serves_is_an_empty_list(held: Ekart, changes: dict[str, str]) -> None:
    answer = lane(held, **changes)
    assert (answer.status_code, answer.json()) == (200, [])


def test_a_lane_without_cash_reaches_where_none_is_taken(held: Ekart) -> None:
    assert lane(held, dropPincode="997001", paymentType="Prepaid", codAmount=None).json()
    assert lane(held, dropPincode="998001", codAmount="5000").json()


@pytest.mark.parametrize("name", NEEDED)
def test_a_lane_is_not_answered_without_all_that_it_demands(held: Ekart, name: str) -> None:
    assert_refused(lane(held, **{name: None}), name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("direction", "forward"),
        ("pickupPincode", 560001),
        ("dropPincode", "1100"),
        ("weight", 500),
        ("length", "0"),
        ("invoiceAmount", "much"),
        ("paymentType", "Pickup"),
        ("codAmount", "50000"),
        ("serviceType", "AIR"),
    ],
)
def test_a_lane_is_refused_as_the_document_says(held: Ekart, name: str, value: Any) -> None:
    assert_refused(lane(held, **{name: value}), name)


@pytest.fixture(scope="module")
def small() -> Iterator[Ekart]:
    with SandboxProcess("ekart", "--hold", "--pincodes", "90") as running:
        yield Ekart(running)


def everything(ekart: Ekart, kind: str = "NON_LARGE", **query: str) -> list[dict[str, Any]]:
    answer = ekart.call("GET", f"/data/serviceability/bulk/{kind}", **query).json()
    return list(answer["serviceability"])


def test_the_list_has_as_many_pincodes_as_it_was_told(held: Ekart, small: Ekart) -> None:
    for ekart, count in ((held, 2000), (small, 90)):
        rows = everything(ekart)
        numbers = [row["pincode"] for row in rows]
        assert numbers == sorted(set(numbers))
        assert len(numbers) == count


def test_the_list_is_the_same_for_both_kinds_of_goods_and_every_time(small: Ekart) -> None:
    assert everything(small) == everything(small, format="JSON") == everything(small, "LARGE")


def test_the_list_has_places_without_cash_and_places_without_anything(held: Ekart) -> None:
    rows = everything(held)
    assert any(row["lmPrepaid"] and not row["lmCod"] for row in rows)
    assert any(not (row["fm"] or row["lmPrepaid"] or row["lmCod"] or row["rvp"]) for row in rows)
    assert all(row["lmPrepaid"] or not row["lmCod"] for row in rows)


def test_the_list_agrees_with_what_is_said_of_each_pincode(small: Ekart) -> None:
    for row in everything(small):
        found = details(small, str(row["pincode"])).get("details", {})
        assert row == {
            "pincode": row["pincode"],
            "fm": found.get("forward_pickup", False),
            "lmCod": found.get("cod", False),
            "lmPrepaid": found.get("forward_drop", False),
            "rvp": found.get("reverse_pickup", False),
        }


@pytest.mark.parametrize(
    ("kind", "form"), [("SMALL", "JSON"), ("NON_LARGE", "EXCEL"), ("LARGE", "json")]
)
def test_a_list_of_another_kind_or_form_is_refused(held: Ekart, kind: str, form: str) -> None:
    answer = held.call("GET", f"/data/serviceability/bulk/{kind}", format=form)
    assert_refused(answer, "type" if kind == "SMALL" else "format")
