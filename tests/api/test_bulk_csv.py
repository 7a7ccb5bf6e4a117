"""A spreadsheet posted to `shipments/bulk/` is read as `book_orders` reads it."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from couriers.booking import bulk_jobs
from couriers.booking.spreadsheet import book_orders, read_defaults, read_file
from couriers.models import BulkJob, BulkOrder
from tests.support.api import job_orders

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[2]
URL = "/api/v1/shipments/bulk/"
HEAD = (
    "order_number,order_date,payment_mode,consignee_name,consignee_phone,address,city,state,pincode,"
    "product,category,hsn_code,quantity,unit_weight_g,length_cm,width_cm,height_cm,order_value,"
    "gst_rate"
)


def row(number: str, **changes: str) -> str:
    values = dict(
        zip(
            HEAD.split(","),
            f"{number},2026-11-23,COD,Asha Sample,98450 10000,9 Secret Lane,Bengaluru,Karnataka,"
            "560034,Kurta,Kurta,62114290,1,320,30,22,6,1149.00,5".split(","),
            strict=True,
        )
    )
    return ",".join((values | changes).values())


def file_of(*rows: str) -> bytes:
    return "\n".join([HEAD, *rows]).encode()


def post(client: Client, content: bytes, key: str = "", **query: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    url = f"{URL}?{urlencode(query, doseq=True)}"
    return client.post(url, content, content_type="text/csv; charset=utf-8", headers=headers)


def booked(client: Client, answer: Any) -> dict[str, dict[str, Any]]:
    """Book the orders of the job, and return them by their number."""
    assert answer.status_code == 202, answer.content
    while bulk_jobs.book_due_orders(answer.json()["id"], seconds=9) is not None:
        pass
    return {order["order_number"]: order for order in job_orders(client, answer["Location"])}


def report_of(client: Client, answer: Any) -> list[dict[str, str]]:
    report = client.get(f"{answer['Location']}orders/", headers={"Accept": "text/csv"})
    assert (report.status_code, report["Content-Type"]) == (200, "text/csv; charset=utf-8")
    return list(csv.DictReader(io.StringIO(report.content.decode())))


def test_orders_are_booked_and_what_is_wrong_is_told_by_row_and_column(
    storefront: Client, account: Any, toy: Any
) -> None:
    content = file_of(
        row("A-1"), row("A-2", pincode="5600"), row("A-3", quantity="0"), row("A-4", quantity="x")
    )
    answer = post(storefront, content, courier="toy")
    assert answer.json()["counts"]["pending"] == 2
    orders = booked(storefront, answer)
    assert {number: order["outcome"] for number, order in orders.items()} == {
        "A-1": "booked", "A-2": "rejected", "A-3": "skipped", "A-4": "rejected",
    }  # fmt: skip
    told = 'row 3, column "pincode": read "5600", is not a six-digit pincode'
    assert told in orders["A-2"]["reason"]
    assert orders["A-2"]["errors"][0]["field"] == "consignee.pincode"
    assert orders["A-3"]["reason"] == "nothing to ship: quantity 0"
    assert orders["A-4"]["reason"].startswith('row 5, column "quantity": read "x", is not a number')
    assert toy.booked == ["A-1"]
    assert {row.request for row in BulkOrder.objects.all()} == {""}


@pytest.mark.parametrize(
    "name", ["exports/shopify-mixed.csv", "exports/woocommerce-items.csv", "orders_sample.csv"]
)
def test_the_report_says_what_the_command_says(
    storefront: Client, account: Any, toy: Any, name: str
) -> None:
    path = ROOT / "fixtures" / name
    given = {"hsn_code": "62114290", "gst_rate": "5", "unit_weight_g": "320", "length_cm": "30",
             "width_cm": "22", "height_cm": "6"}  # fmt: skip
    settings = [f"{name}={value}" for name, value in given.items()]
    answer = post(storefront, path.read_bytes(), courier="toy", default=settings)
    booked(storefront, answer)
    by_job = report_of(storefront, answer)
    rows: list[Any] = []
    book_orders(
        account.company,
        "toy",
        read_file(path, filled=read_defaults(settings)),
        workers=1,
        done=rows.append,
        defaults=read_defaults(settings),
    )
    by_command = {row.order_number: row for row in rows}
    assert [line["order_number"].lstrip("'") for line in by_job] == list(by_command)
    for line in by_job:
        other = by_command[line["order_number"].lstrip("'")]
        outcome = "already_booked" if line["outcome"] == "booked" else line["outcome"]
        assert (outcome, line["courier"], line["tracking_id"], line["shipment_id"]) == (
            other.outcome, other.courier, other.tracking_id, other.shipment_id,
        )  # fmt: skip
        if line["outcome"] != "booked":  # the command says the shipment's status there
            assert line["reason"] == other.reason


def test_an_order_that_is_booked_with_other_content_names_its_cells(
    storefront: Client, account: Any
) -> None:
    booked(storefront, post(storefront, file_of(row("A-1")), courier="toy"))
    changed = post(storefront, file_of(row("A-1", order_value="1150.00")), courier="toy")
    (order,) = booked(storefront, changed).values()
    assert order["outcome"] == "rejected"
    assert (
        'row 2, column "order_value": read "1150.00", differs from what was booked'
        in (order["reason"])
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\n", "is empty"),
        (HEAD.encode(), "has no orders"),
        (b"PK\x03\x04", "is an Excel workbook"),
        (file_of(row("A-1")) + b"\n\xff", "line 3, byte 0xff at position"),
        (file_of(f"{row('A-1')},surplus"), ""),
        (b"x" + file_of(row("A-1")), "lacks the column order_number"),
        (file_of(row("A-1")).replace(b"city", b"town"), 'has column "town"'),
        (file_of(row("A-1"), '"A-2'), "row 3 is not CSV"),
        (b"a,b\n1,2", "is of no format that is known"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_whole(
    storefront: Client, account: Any, content: bytes, message: str
) -> None:
    answer = post(storefront, content, courier="toy")
    if not message:  # a shifted row rejects its order alone
        (order,) = booked(storefront, answer).values()
        assert (order["outcome"], "row 2, cell 20" in order["reason"]) == ("rejected", True)
        return
    assert answer.status_code == 400, answer.content
    (problem,) = answer.json()["errors"]
    assert problem["field"] == "body"
    assert message in problem["message"]
    assert not BulkJob.objects.exists()


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ({"courier": "nope"}, "courier", "is not a courier of this platform"),
        ({"courier": "toy", "file_format": "excel"}, "file_format", "must be one of auto"),
        ({"courier": "toy", "default": ["colour=red"]}, "default", "must be one of category"),
        ({"courier": "toy", "default": ["gst_rate=5"] * 2}, "default", "is given twice"),
        ({"courier": "toy", "default": ["gst_rate=five"]}, "default", 'read "five"'),
        ({"courier": "toy", "default": ["x" * 2001]}, "default", "longer than 2000"),
        ({"courier": "toy", "ignore_columns": "gone"}, "body", 'no column "gone"'),
        ({"courier": "toy", "rebook": "1"}, "rebook", "is not a query parameter"),
    ],
)
def test_a_parameter_that_is_not_understood_is_named(
    storefront: Client, account: Any, query: dict[str, Any], field: str, message: str
) -> None:
    answer = post(storefront, file_of(row("A-1")), **query)
    assert answer.status_code == 400, answer.content
    found = {problem["field"]: problem["message"] for problem in answer.json()["errors"]}
    assert message in found[field]
    assert not BulkJob.objects.exists()


def test_the_parameters_are_those_of_csv_alone(
    storefront: Client, account: Any, order: Any
) -> None:
    answer = storefront.post(
        f"{URL}?courier=toy", {"orders": [order]}, content_type="application/json"
    )
    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"field": "courier", "message": "is for a body in CSV"}]


def test_columns_are_ignored_and_a_format_is_chosen(storefront: Client, account: Any) -> None:
    content = f"{HEAD},Gift note,Colour\n{row('A-1')},none,red".encode()
    answer = post(
        storefront, content, courier="toy", ignore_columns="gift note, Colour",
        file_format="shipcrowd",
    )  # fmt: skip
    (order,) = booked(storefront, answer).values()
    assert order["outcome"] == "booked"


def test_a_key_stands_for_the_bytes_and_the_parameters(storefront: Client, account: Any) -> None:
    content = file_of(row("A-1"))
    first = post(storefront, content, "k", courier="toy")
    again = post(storefront, content, "k", courier="toy")
    assert (again.status_code, again["Idempotent-Replayed"]) == (202, "true")
    assert again.json()["id"] == first.json()["id"]
    for other in (
        post(storefront, content + b"\n", "k", courier="toy"),
        post(storefront, content, "k", courier="toy", file_format="shipcrowd"),
    ):
        assert (other.status_code, other.json()["type"]) == (422, "/problems/key-reused")
    assert BulkJob.objects.count() == 1


def test_more_orders_than_a_job_may_have_are_refused(
    storefront: Client, account: Any, settings: Any
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"BULK_MAX_ORDERS": 2}
    answer = post(storefront, file_of(*(row(f"A-{n}") for n in range(3))), courier="toy")
    assert answer.json()["errors"] == [{"field": "orders", "message": "must be 1 to 2"}]
    assert not BulkJob.objects.exists()


def test_a_consignee_of_a_spreadsheet_is_encrypted_and_found_for_erasure(
    storefront: Client, account: Any
) -> None:
    post(storefront, file_of(row("A-1")), courier="toy")
    order = BulkOrder.objects.get()
    assert "9 Secret Lane" in order.request
    assert bulk_jobs.stored_phone(order) == "9845010000"
