"""Orders as shops write them: each file of fixtures/exports is recognised and booked right.

The files were made for this project after the public descriptions of the formats.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from couriers.booking.spreadsheet import FileUnusable, read_file
from couriers.booking.spreadsheet.goods import goods_of
from couriers.models import Product, Shipment
from tests.support.factories import CompanyFactory
from tests.support.spreadsheets import DEFAULTS, book_file

pytestmark = pytest.mark.django_db(transaction=True)

EXPORTS = Path(__file__).resolve().parent.parent.parent / "fixtures" / "exports"
PRODUCTS = {
    # SKU: HSN code, GST rate, weight, length, width, height
    "KUR-L": ("62114290", "5", 320, 30, 22, 3),
    "BLS-38": ("62063000", "5", 180, 25, 20, 2),
    "CUP-2": ("69120010", "5", 250, 12, 12, 10),
    "SAR-BP": ("52083290", "5", 700, 35, 28, 5),
}
# Order number: date, mode, COD amount, pincode, state, grams, height, and each line as SKU,
# quantity and value.
BOOKED: dict[str, dict[str, tuple[Any, ...]]] = {
    "shopify-cod.csv": {
        "#2101": ("2026-11-18", "cod", "1397.00", "682031", "Kerala", 880, 7,
                  ("SAR-BP", 1, "1118.16"), ("BLS-38", 1, "278.84")),
        "#2102": ("2026-11-18", "cod", "549.00", "411001", "Maharashtra", 500, 20,
                  ("CUP-2", 2, "549.00")),
    },
    "shopify-mixed.csv": {
        "#3001": ("2026-11-19", "prepaid", "0.00", "560001", "Karnataka", 640, 6,
                  ("KUR-L", 2, "2598.00")),
        "#3002": ("2026-11-19", "cod", "1099.00", "600001", "Tamil Nadu", 320, 3,
                  ("KUR-L", 1, "1299.00")),
        "#3005": ("2026-11-18", "prepaid", "0.00", "380009", "Gujarat", 250, 10,
                  ("CUP-2", 1, "249.00")),
    },
    "woocommerce-advanced.csv": {
        "7001": ("2026-11-20", "cod", "1647.00", "492001", "Chhattisgarh", 820, 23,
                 ("KUR-L", 1, "1259.98"), ("CUP-2", 2, "387.02")),
        "7002": ("2026-11-20", "prepaid", "0.00", "753001", "Odisha", 180, 2,
                 ("BLS-38", 1, "499.00")),
    },
    "woocommerce-advanced-blanks.csv": {
        "8001": ("2026-11-21", "cod", "948.00", "781005", "Assam", 430, 12,
                 ("CUP-2", 1, "379.01"), ("BLS-38", 1, "568.99")),
    },
    "woocommerce-items.csv": {
        "SHOP-901": ("2026-11-20", "cod", "1897.00", "143001", "Punjab", 500, 5,
                     ("KUR-L", 1, "1333.44"), ("BLS-38", 1, "563.56")),
    },
    "woocommerce-orders.csv": {
        "SHOP-902": ("2026-11-21", "prepaid", "0.00", "143001", "Punjab", 320, 3,
                     ("KUR-L", 1, "1348.00")),
        "SHOP-903": ("2026-11-21", "cod", "248.50", "143001", "Punjab", 250, 10,
                     ("CUP-2", 1, "248.50")),
    },
    "amazon-unshipped.txt": {
        "171-0000002-0000001": ("2026-11-20", "cod", "1299.00", "110001", "Delhi", 320, 3,
                                ("KUR-L", 1, "1299.00")),
        "171-0000002-0000002": ("2026-11-21", "cod", "399.00", "110001", "Delhi", 500, 20,
                                ("CUP-2", 2, "399.00")),
    },
    "amazon-new-orders.txt": {
        "405-0000003-0000001": ("2026-11-22", "prepaid", "0.00", "110001", "Delhi", 820, 8,
                                ("KUR-L", 2, "2438.00"), ("BLS-38", 1, "499.00")),
    },
    "unicommerce-units.csv": {
        "WEB-61": ("2026-11-03", "cod", "2797.50", "226001", "Uttar Pradesh", 890, 10,
                   ("KUR-L", 2, "2598.00"), ("CUP-2", 1, "199.50")),
        "WEB-62": ("2026-11-03", "prepaid", "0.00", "226001", "Uttar Pradesh", 320, 3,
                   ("KUR-L", 1, "1299.00")),
    },
    "unicommerce-few-columns.csv": {
        "UC-90": ("2026-11-20", "cod", "569.00", "403001", "Goa", 180, 2,
                  ("BLS-38", 1, "569.00")),
    },
}  # fmt: skip
SKIPPED = {
    "shopify-mixed.csv": {
        "#3003": 'row 4, column "Cancelled at": read "2026-11-19 10:00:00 +0530", the order was',
        "#3004": 'row 5, column "Fulfillment Status": read "fulfilled", the order was shipped',
    },
    "woocommerce-advanced.csv": {"7003": 'row 5, column "Order Status": read "on-hold", the ord'},
    "amazon-unshipped.txt": {
        "171-0000002-0000003": 'row 4, column "fulfilled-by": read "Easy Ship", Amazon ships'
    },
    "amazon-new-orders.txt": {
        "405-0000003-0000002": 'row 4, column "is-buyer-requested-cancellation": read "true"'
    },
    "unicommerce-units.csv": {"WEB-63": 'row 8, column "On Hold": read "1", the order is on hold'},
}


@pytest.fixture
def products(account: Any) -> None:
    names = ("hsn_code", "gst_rate", "weight_g", "length_cm", "width_cm", "height_cm")
    Product.objects.bulk_create(
        Product(company=account.company, sku=sku, **dict(zip(names, values, strict=True)))
        for sku, values in PRODUCTS.items()
    )


@pytest.mark.parametrize("name", BOOKED)
def test_an_export_is_booked_with_what_the_products_tell(
    account: Any, products: None, name: str
) -> None:
    rows = book_file(account.company, EXPORTS / name)
    skipped = SKIPPED.get(name, {})
    assert {number: row.outcome for number, row in rows.items() if row.outcome != "booked"} == (
        dict.fromkeys(skipped, "skipped")
    ), rows
    for number, reason in skipped.items():
        assert rows[number].reason.startswith(reason)
    assert {s.order_number: described(s) for s in Shipment.objects.all()} == BOOKED[name]
    again = book_file(account.company, EXPORTS / name)
    assert {number: row.outcome for number, row in again.items()} == {
        number: "already_booked" if row.outcome == "booked" else row.outcome
        for number, row in rows.items()
    }


def described(shipment: Shipment) -> tuple[Any, ...]:
    lines = tuple((i["sku"], i["quantity"], f"{Decimal(i['value']):.2f}") for i in shipment.items)
    assert shipment.cod_amount <= shipment.total_amount
    return (
        shipment.order_date.isoformat(), shipment.payment_mode, f"{shipment.cod_amount:.2f}",
        shipment.consignee_pincode, shipment.consignee_state, shipment.weight_g,
        shipment.height_cm, *lines,
    )  # fmt: skip


def test_every_export_has_a_test() -> None:
    assert {path.name for path in EXPORTS.iterdir()} == set(BOOKED)


def test_what_is_known_nowhere_rejects_the_order_and_is_named(account: Any) -> None:
    row = book_file(account.company, EXPORTS / "unicommerce-few-columns.csv")["UC-90"]
    assert row.outcome == "rejected"
    assert row.reason == (
        'row 2, column "Item SKU Code": the product BLS-38 has no hsn_code, gst_rate, '
        "unit_weight_g, length_cm, width_cm, height_cm: add them to the company's products under "
        "its SKU, or give a default NAME=VALUE"
    )


def test_a_product_goes_before_a_default(account: Any, products: None) -> None:
    Product.objects.filter(sku="BLS-38").update(gst_rate=None, name="Blouse")
    defaults = ("gst_rate=18", "unit_weight_g=999")
    book_file(account.company, EXPORTS / "unicommerce-few-columns.csv", defaults=defaults)
    shipment = Shipment.objects.get()
    assert (shipment.weight_g, shipment.items[0]["gst_rate"]) == (180, "18.00")


def test_another_companys_product_is_not_used(account: Any, products: None) -> None:
    Product.objects.update(company=CompanyFactory())
    rows = book_file(account.company, EXPORTS / "unicommerce-few-columns.csv")
    assert rows["UC-90"].outcome == "rejected"


def test_the_products_of_many_orders_are_one_query(
    account: Any, products: None, tmp_path: Path
) -> None:
    header, *_, line = (EXPORTS / "shopify-cod.csv").read_text().splitlines()
    path = tmp_path / "many.csv"
    path.write_text("\n".join([header, *(line.replace("#2102", f"#{n}") for n in range(500))]))
    with CaptureQueriesContext(connection) as queries:
        goods = goods_of(account.company, read_file(path), {})
    assert (len(queries), set(goods.products)) == (1, {"CUP-2"})


@pytest.fixture
def shopify(tmp_path: Path) -> Callable[[dict[str, str]], Path]:
    """Return a function that writes an order of Shopify with changed cells."""
    header, _, _, line = (EXPORTS / "shopify-cod.csv").read_text().splitlines()
    names, cells = header.split(","), line.split(",")

    def write(changes: dict[str, str]) -> Path:
        values = {**dict(zip(names, cells, strict=True)), **changes}
        path = tmp_path / "shopify.csv"
        path.write_text(f"{header}\n{','.join(values.values())}\n")
        return path

    return write


@pytest.mark.parametrize(
    ("changes", "outcome", "words"),
    [
        ({"Financial Status": "refunded"}, "skipped", 'read "refunded", the money was returned'),
        ({"Financial Status": "authorized"}, "skipped", "not captured"),
        ({"Financial Status": "half"}, "rejected", 'read "half", is not known'),
        ({"Financial Status": ""}, "rejected", 'column "Financial Status": is missing'),
        ({"Financial Status": "partially_refunded"}, "rejected", "is not known"),
        ({"Payment Method": "Bank Deposit"}, "skipped", "the order is not paid"),
        ({"Payment Method": "Pay at the gate"}, "rejected", "is not known to be cash on delivery"),
        ({"Financial Status": "paid"}, "rejected", 'column "Outstanding Balance": read "549.00"'),
        ({"Shipping Country": "NP"}, "rejected", 'column "Shipping Country": read "NP", only'),
        ({"Currency": "USD"}, "rejected", 'column "Currency": read "USD", only orders in rupees'),
        ({"Total": "1e26"}, "rejected", 'column "Total": read "1e26", is not a number'),
        ({"Shipping Zip": "5600"}, "rejected", 'row 2, column "Shipping Zip": read "5600"'),
        ({"Fulfillment Status": "on_hold"}, "skipped", "is not to be shipped yet"),
        ({"Fulfillment Status": "lost"}, "rejected", 'read "lost", is not known'),
        ({"Lineitem fulfillment status": "partial"}, "rejected", "how many are left"),
        ({"Lineitem requires shipping": "false"}, "skipped", "nothing to ship is left"),
        ({"Lineitem quantity": "0"}, "skipped", "nothing to ship"),
        ({"Created at": "03/04/2026"}, "rejected", "may be 2026-04-03 or 2026-03-04"),
        ({"Outstanding Balance": "600"}, "rejected", 'column "Outstanding Balance": read "600"'),
    ],
)
def test_an_order_of_shopify_that_is_not_booked_says_why(
    account: Any, shopify: Callable[..., Path], changes: dict[str, str], outcome: str, words: str
) -> None:
    (row,) = book_file(account.company, shopify(changes), defaults=DEFAULTS).values()
    assert (row.outcome, row.shipment_id) == (outcome, "")
    assert words in row.reason


def test_an_order_that_stands_in_an_export_twice_is_rejected(
    account: Any, products: None, tmp_path: Path
) -> None:
    for name in ("shopify-cod.csv", "woocommerce-advanced.csv", "woocommerce-items.csv"):
        header, *lines = (EXPORTS / name).read_text().splitlines()
        path = tmp_path / name
        path.write_text("\n".join([header, *lines, *lines]))
        rows = book_file(account.company, path)
        assert not Shipment.objects.exists()
        assert {row.outcome for row in rows.values()} <= {"rejected", "skipped"}
        assert all("twice" in row.reason for row in rows.values() if row.outcome == "rejected")


def test_amazons_report_without_prices_cannot_value_a_prepaid_order(
    account: Any, products: None, tmp_path: Path
) -> None:
    text = (EXPORTS / "amazon-unshipped.txt").read_text().replace("\tCOD\t1299.00\t", "\t\t\t")
    path = tmp_path / "amazon.txt"
    path.write_text(text)
    row = book_file(account.company, path)["171-0000002-0000001"]
    assert 'row 2, column "item-price": the file has no prices' in row.reason


def test_an_unknown_column_of_an_export_is_named(account: Any, tmp_path: Path) -> None:
    for name in BOOKED:
        content = (EXPORTS / name).read_bytes()
        text = content.decode("utf-16" if content[:2] == b"\xff\xfe" else "utf-8-sig")
        first, separator = ("sep=;\n", ";") if text.startswith("sep=") else ("", ",")
        separator = "\t" if name.endswith(".txt") else separator
        path = tmp_path / name
        path.write_text(f"{first}Gift riddle{separator}{text.removeprefix(first)}", newline="")
        with pytest.raises(FileUnusable, match='column "Gift riddle" that'):
            book_file(account.company, path)
