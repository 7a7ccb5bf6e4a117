"""Spreadsheets that went wrong elsewhere, each with what is right. They are not in this repository.

Set SHIPCROWD_CASES to their folder. The tests of the other modules have examples of their own.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from couriers.booking.spreadsheet import FileUnusable, read_file
from couriers.models import Shipment
from tests.support.spreadsheets import DEFAULTS, book_file

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parent.parent.parent
CASES = Path(os.environ.get("SHIPCROWD_CASES", ROOT.parent / "shared" / "cases"))
LOST = "loses digits"

# File: order number: the outcome, or the words with which it is rejected.
READING: dict[str, dict[str, str]] = {
    "01-row-longer-than-header/product_comma.csv": {"UQ2": 'row 2, cell 21: read "false"'},
    "01-row-longer-than-header/surplus_empty_ok.csv": {"TC1": "booked"},
    "01-row-longer-than-header/thousands.csv": {
        "TH1": "row 2, cell 21", "TH5": "row 3, cell 21", "TH6": "row 4, cell 21",
        "TH7": "row 5, cell 21", "TH8": "row 6, cell 21",
    },
    "02-already-booked-other-order/day1.csv": {"4.08912E+14": LOST},
    "02-already-booked-other-order/day2.csv": {"4.08912E+14": LOST},
    "02-already-booked-other-order/two_orders_one_number.csv": {"4.08912E+13": LOST},
    "14-separators/headcase.csv": {"HC1": "booked"},
    "14-separators/semicolon.csv": {"SEM1": "booked"},
    "14-separators/sepline.csv": {"SEP1": "booked"},
    "14-separators/tabs.csv": {"TAB1": "booked"},
    "16-excel-wrappers/wrapped.csv": {
        **{f"W{number}": "booked" for number in range(1, 10)},
        "Wbad": 'row 11, column "consignee_phone": read "9.84501E+09", is in scientific',
    },
    "17-shop-exports/shopify.csv": {"#1001": "booked"},
    "17-shop-exports/woo.csv": {"501": "booked"},
    "17-shop-exports/amazon.txt": {"408-0000001-0000001": "booked"},
    "17-shop-exports/unicom.csv": {"UC-1": "booked"},
}  # fmt: skip
# These are decided by the checks of a draft's values.
CHECKS: dict[str, dict[str, str]] = {
    "05-joiners-of-indian-scripts/names.csv": {
        **{f"ZJ{number}": "booked" for number in range(6)},
        "ZJbad": 'row 8, column "consignee_name"',
    },
    "06-line-breaks-and-invisible-marks/breaks.csv": {
        f"NL{number}": "booked" for number in range(1, 10)
    },
    "07-free-gift-line/gift.csv": {"FG1": "booked"},
    "07-free-gift-line/zero_prepaid.csv": {"ZP1": 'row 2, column "order_value": are worth nothing'},
    "09-gst-rate-as-fraction/rates.csv": {
        **{f"GF{number}": f'row {number + 2}, column "gst_rate"' for number in range(6)},
        **{f"GFok{number}": "booked" for number in range(10)},
    },
    "11-state-of-a-pincode-in-two-states/yanam.csv": {
        "YNX1": 'row 2, column "state"', "YNX2": 'row 3, column "state"', "YNX3": "booked",
    },
}  # fmt: skip
STATES = "13-state-names/states.csv"
UNUSABLE = {
    "03-duplicate-headings/addresses.csv": '"Address" of column 21 is also that of column 6',
    "03-duplicate-headings/values.csv": '"order_value" of column 20 is also that of column 18',
}


def case(name: str) -> Path:
    if not CASES.is_dir():
        pytest.skip("no folder of cases; set SHIPCROWD_CASES")
    return CASES / name


def check(account: Any, name: str, expected: dict[str, str]) -> None:
    path = case(name)
    account.company.warehouses.update(pincode="605001", state="Puducherry")
    type(account.company).objects.update(gstin="34AAGCR4375J1Z3", state="Puducherry")
    account.company.refresh_from_db()
    rows = book_file(account.company, path, defaults=DEFAULTS)
    assert list(rows) == list(expected)
    wrong = {
        number: row
        for number, row in rows.items()
        if row.outcome != (expected[number] if expected[number] == "booked" else "rejected")
        or (row.outcome == "rejected" and expected[number] not in row.reason)
    }
    assert wrong == {}


@pytest.mark.parametrize("name", READING)
def test_a_file_is_read_right(account: Any, name: str) -> None:
    check(account, name, READING[name])


@pytest.mark.parametrize("name", CHECKS)
def test_the_values_of_a_file_are_checked_right(account: Any, name: str) -> None:
    check(account, name, CHECKS[name])


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_file_with_a_heading_twice_is_refused(name: str) -> None:
    with pytest.raises(FileUnusable) as caught:
        read_file(case(name))
    assert UNUSABLE[name] in str(caught.value)


def test_every_usual_name_of_a_state_is_known(account: Any) -> None:
    """All have one pincode, so that another check may refuse them, but not for their state."""
    rows = book_file(account.company, case(STATES))
    unknown = [number for number, row in rows.items() if "is not a state" in row.reason]
    assert (len(rows), unknown) == (15, ["STbad"])


def test_a_free_gift_travels_in_the_parcel(account: Any) -> None:
    book_file(account.company, case("07-free-gift-line/gift.csv"))
    shipment = Shipment.objects.get()
    assert (str(shipment.cod_amount), shipment.weight_g) == ("1149.00", 330)


@pytest.mark.parametrize(
    ("name", "amount", "items"),
    [("shopify.csv", "1347.00", 2), ("woo.csv", "1198.00", 1), ("amazon.txt", "1149.00", 1),
     ("unicom.csv", "1149.00", 1)],
)  # fmt: skip
def test_an_export_of_a_shop_collects_what_the_shop_does(
    account: Any, name: str, amount: str, items: int
) -> None:
    book_file(account.company, case(f"17-shop-exports/{name}"), defaults=DEFAULTS)
    shipment = Shipment.objects.get()
    assert (str(shipment.cod_amount), shipment.payment_mode) == (amount, "cod")
    assert (str(shipment.total_amount), len(shipment.items)) == (amount, items)
    assert (shipment.consignee_pincode, shipment.consignee_state) == ("560034", "Karnataka")


def test_every_file_of_the_cases_is_tested() -> None:
    folder = case("")
    files = {str(path.relative_to(folder)) for path in folder.glob("*/*")}
    assert files == set(READING) | set(CHECKS) | set(UNUSABLE) | {STATES}
