"""Serviceability of a pincode and of a lane, and the bulk list of pincodes."""

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


def answer_about(ekart: Ekart, pincode: str) -> dict[str, Any]:
    return dict(ekart.call("GET", f"/api/v2/serviceability/{pincode}").json())


@pytest.mark.parametrize(
    ("pincode", "cod", "most"),
    [("560001", True, 49999), ("998001", True, 5000), ("997001", False, 0)],
)
def test_pincodes_differ_in_cash_on_delivery(
    ekart: Ekart, pincode: str, cod: bool, most: int
) -> None:
    found = answer_about(ekart, pincode)["details"]
    assert (found["cod"], found["max_cod_amount"], found["forward_drop"]) == (cod, most, True)


def test_an_unserved_pincode_has_no_details(ekart: Ekart) -> None:
    assert answer_about(ekart, "999001") == {
        "status": False, "pincode": 999001, "remark": "Not serviceable"
    }  # fmt: skip


@pytest.mark.parametrize("pincode", ["56000", "5600011", "012345", "56000a"])
def test_a_pincode_has_six_digits(ekart: Ekart, pincode: str) -> None:
    answer = ekart.call("GET", f"/api/v2/serviceability/{pincode}")
    assert_refused(answer, "six digits")


def test_a_lane_has_days_and_charges_as_texts(ekart: Ekart) -> None:
    (group,) = lane(ekart).json()
    assert group["tat"] == {"min": 2, "max": 3}
    assert group["courierGroup"] == "EKART_EXPRESS"
    assert group["forwardDeliveredCharges"] == {
        "forwardFreight": "35.50", "forwardFuelSurcharge": "3.55", "codCharges": "35.00",
        "deliveredTotalTax": "13.33", "totalForwardDeliveredEstimate": "87.38",
    }  # fmt: skip
    for charges in ("rtoDeliveredCharges", "reverseDeliveredCharges"):
        assert all(isinstance(amount, str) for amount in group[charges].values())


def test_a_lane_without_a_service_lists_every_courier_group(ekart: Ekart) -> None:
    groups = lane(ekart, serviceType=None).json()
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
def test_an_unserved_lane_is_an_empty_list(ekart: Ekart, changes: dict[str, str]) -> None:
    answer = lane(ekart, **changes)
    assert (answer.status_code, answer.json()) == (200, [])


def test_a_lane_is_served_within_the_limits_of_cash_on_delivery(ekart: Ekart) -> None:
    assert lane(ekart, dropPincode="997001", paymentType="Prepaid", codAmount=None).json()
    assert lane(ekart, dropPincode="998001", codAmount="5000").json()


@pytest.mark.parametrize("name", NEEDED)
def test_a_lane_needs_every_required_field(ekart: Ekart, name: str) -> None:
    assert_refused(lane(ekart, **{name: None}), name)


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
def test_a_lane_is_refused_as_the_document_says(ekart: Ekart, name: str, value: Any) -> None:
    assert_refused(lane(ekart, **{name: value}), name)


@pytest.fixture(scope="module")
def small() -> Iterator[Ekart]:
    with SandboxProcess("ekart", "--hold", "--pincodes", "90") as running:
        yield Ekart(running)


def bulk_list(ekart: Ekart, kind: str = "NON_LARGE", **query: str) -> list[dict[str, Any]]:
    answer = ekart.call("GET", f"/data/serviceability/bulk/{kind}", **query).json()
    return list(answer["serviceability"])


def test_the_bulk_list_has_as_many_pincodes_as_the_flag_says(ekart: Ekart, small: Ekart) -> None:
    for client, count in ((ekart, 2000), (small, 90)):
        rows = bulk_list(client)
        numbers = [row["pincode"] for row in rows]
        assert numbers == sorted(set(numbers))
        assert len(numbers) == count


def test_the_bulk_list_is_always_the_same_and_for_both_kinds_of_goods(small: Ekart) -> None:
    assert bulk_list(small) == bulk_list(small, format="JSON") == bulk_list(small, "LARGE")


def test_the_bulk_list_has_unserved_pincodes_and_some_without_cod(
    ekart: Ekart,
) -> None:
    rows = bulk_list(ekart)
    assert any(row["lmPrepaid"] and not row["lmCod"] for row in rows)
    assert any(not (row["fm"] or row["lmPrepaid"] or row["lmCod"] or row["rvp"]) for row in rows)
    assert all(row["lmPrepaid"] or not row["lmCod"] for row in rows)


def test_the_bulk_list_agrees_with_the_answer_about_each_pincode(small: Ekart) -> None:
    for row in bulk_list(small):
        found = answer_about(small, str(row["pincode"])).get("details", {})
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
def test_another_type_or_format_of_the_bulk_list_is_refused(
    ekart: Ekart, kind: str, form: str
) -> None:
    answer = ekart.call("GET", f"/data/serviceability/bulk/{kind}", format=form)
    assert_refused(answer, "type" if kind == "SMALL" else "format")
