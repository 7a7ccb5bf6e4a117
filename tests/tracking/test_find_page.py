"""The form that finds a parcel by its number and pincode, and tells a stranger nothing."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from couriers.models import Company, CourierAccount, Shipment
from couriers.tracking import find_page
from tests.support.factories import CourierAccountFactory, ShipmentFactory, WarehouseFactory
from tests.support.parcel_states import make_parcel, make_shop
from tests.support.parcels import make_parcels
from tests.support.plans import pages_read, whole_reads

pytestmark = pytest.mark.django_db

FORM = "application/x-www-form-urlencoded"
PINCODE = "411004"  # of the factory's consignee
SHOP, ANY = "/track/find/kesar/", "/track/"
_addresses = itertools.count(1)


@pytest.fixture
def shop(db: None) -> CourierAccount:
    return make_shop()


def post(path: str, number: str, pincode: str = PINCODE, **headers: str) -> Any:
    """Post the form from an address of its own."""
    from urllib.parse import urlencode

    client = Client(REMOTE_ADDR=f"203.0.{next(_addresses) // 250}.{next(_addresses) % 250}")
    body = urlencode({"number": number, "pincode": pincode})
    return client.post(path, body, content_type=FORM, headers=headers)


def found(path: str, number: str, pincode: str = PINCODE) -> str:
    """Where the form leads to; "" where it finds nothing."""
    answer = post(path, number, pincode)
    assert answer.status_code in (303, 404), answer.content
    return str(answer.get("Location", ""))


def page(shipment: Shipment) -> str:
    return f"/track/{shipment.pk}/"


def test_an_order_is_found_as_people_write_it(shop: CourierAccount) -> None:
    shipment = make_parcel(shop, "booked", order_number="KS-1001")
    for number in ("KS-1001", " ks-1001 ", "#KS-1001", "KS-1001\u200b"):
        assert found(SHOP, number) == page(shipment), number
    hashed = make_parcel(shop, "booked", order_number="#77")
    assert found(SHOP, "77") == found(SHOP, "#77") == page(hashed)
    shipment = make_parcel(shop, "booked", order_number="KS-1002")
    for pincode in (" 411 004 ", "४११००४", "411004\u200e"):
        assert found(SHOP, "KS-1002", pincode) == page(shipment), pincode


def test_a_parcel_is_found_by_its_waybill_and_the_one_before(shop: CourierAccount) -> None:
    shipment = make_parcel(
        shop, "booked", tracking_id="EKT77", waybill="W-77", former_tracking_ids=["OLD-77"]
    )
    for number in ("EKT77", "ekt77", "W-77", "OLD-77"):
        assert found(SHOP, number) == page(shipment), number
        assert found(ANY, number) == page(shipment), number
    assert found(ANY, shipment.order_number) == ""  # other shops have this number, too


def test_without_the_pincode_nothing_is_found(shop: CourierAccount) -> None:
    shipment = make_parcel(shop, "booked", tracking_id="EKT77", waybill="W-77")
    for path, number in itertools.product((SHOP, ANY), (shipment.order_number, "EKT77", "W-77")):
        assert found(path, number, "411005") == "", (path, number)


def test_another_shops_order_is_not_found(shop: CourierAccount) -> None:
    company = WarehouseFactory(company__slug="other").company
    account = CourierAccountFactory(company=company, courier=shop.courier)
    theirs = make_parcel(account, "booked", order_number="KS-1", tracking_id="EKT1")
    assert found(SHOP, "KS-1") == found(SHOP, "EKT1") == ""
    assert found("/track/find/other/", "KS-1") == page(theirs)
    mine = make_parcel(shop, "booked", order_number="KS-1")
    assert found(SHOP, "KS-1") == page(mine)


def test_the_newest_parcel_of_an_order_is_found_and_a_real_one_before_a_test(
    shop: CourierAccount,
) -> None:
    columns = {"order_number": "KS-1"}
    make_parcel(shop, "cancelled", **columns, id="shp_01")
    newest = make_parcel(shop, "delivered", **columns, id="shp_02")
    make_parcel(shop, "booked", **columns, id="shp_03", is_test=True)
    assert found(SHOP, "KS-1") == page(newest)
    back = make_parcel(shop, "return", **columns, id="shp_04")
    assert found(SHOP, "KS-1") == page(back)


def test_no_such_order_and_another_pincode_are_one_answer_by_the_same_work(
    shop: CourierAccount,
) -> None:
    make_parcel(shop, "booked", order_number="KS-1001")
    answers, statements = [], []
    for number, pincode in (("KS-1001", "411005"), ("KS-9999", "411004"), ("KS-9999", "411005")):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answer = post(SHOP, number, pincode)
        text = answer.content.decode().replace(number, "N").replace(pincode, "P")
        headers = {k: v for k, v in answer.headers.items() if k not in ("X-Request-ID",)}
        answers.append((answer.status_code, text, headers))
        statements.append(len(queries))
    assert answers[0] == answers[1] == answers[2]
    assert answers[0][0] == 404
    with CaptureQueriesContext(connection) as queries:
        assert post(SHOP, "KS-1001").status_code == 303
    assert {*statements, len(queries)} == {2}  # the company and the parcel


@pytest.mark.parametrize("path", [SHOP, ANY])
def test_the_statement_reads_by_indexes_and_nothing_of_the_consignee(
    shop: CourierAccount, path: str
) -> None:
    tracking_ids = make_parcels(shop, 2000)
    with CaptureQueriesContext(connection) as queries:
        post(path, tracking_ids[1000])
    sql = queries.captured_queries[-1]["sql"]
    assert "UNION ALL" in sql
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {Shipment._meta.db_table}")
    assert whole_reads(sql, may_read=True) == []
    assert pages_read(sql) < 20
    assert "consignee_name" not in sql.partition("WHERE")[0]


@pytest.mark.parametrize(
    ("number", "pincode", "words"),
    [
        ("", PINCODE, "Please type the number."), ("KS-1", "", "Please type the pincode."),
        ("KS-1", "41100", "A pincode has six digits."), ("KS-1", "011004", "A pincode has six"),
        ("KS-1", "4110045", "A pincode has six"), ("KS-1", "4" * 21, "A pincode has six digits."),
        ("x" * 101, PINCODE, "This number is too long."), ("#", PINCODE, "cannot be an order"),
        ("a\u202eb", PINCODE, "cannot be an order"), ("\u200b", PINCODE, "cannot be an order"),
    ],
)  # fmt: skip
def test_what_cannot_be_right_is_said_at_its_field(
    shop: CourierAccount, number: str, pincode: str, words: str
) -> None:
    answer = post(SHOP, number, pincode)
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert 'aria-invalid="true"' in answer.content.decode()


@pytest.mark.parametrize("bad", ["a\x00b", "\ud800", "%s", "'; DROP TABLE x; --", "<b>", "x\ty"])
def test_no_text_is_a_server_error_or_a_tag(shop: CourierAccount, bad: str) -> None:
    sent = bad.encode("utf-8", "surrogatepass").decode("latin-1")
    answer = post(SHOP, sent)
    assert answer.status_code in (400, 404)
    assert "<b>" not in answer.content.decode()
    assert post(SHOP, "KS-1", sent).status_code == 400


def test_a_body_that_is_not_the_form_is_not_read(shop: CourierAccount) -> None:
    shipment = make_parcel(shop, "booked")
    fields = {"number": shipment.order_number, "pincode": PINCODE}
    assert Client().post(SHOP, fields).status_code == 400  # multipart, as files are sent
    assert Client().post(SHOP, fields, "application/json").status_code == 400
    large = f"number={shipment.order_number}&pincode={PINCODE}&more={'x' * 5000}"
    assert Client().post(SHOP, large, FORM).status_code == 400
    assert Client().get(SHOP, fields).status_code == 200  # what a link says is not looked for


def test_it_needs_no_cookie_and_no_token(shop: CourierAccount) -> None:
    shipment = make_parcel(shop, "booked")
    strict = Client(enforce_csrf_checks=True)
    blank = strict.get(SHOP)
    assert not blank.cookies
    body = f"number={shipment.order_number}&pincode={PINCODE}"
    answer = strict.post(SHOP, body, FORM)
    assert (answer.status_code, answer["Location"]) == (303, page(shipment))
    assert answer["Cache-Control"] == "no-store"
    assert not answer.cookies


def test_the_chosen_language_is_kept(shop: CourierAccount) -> None:
    shipment = make_parcel(shop, "booked")
    answer = post(f"{SHOP}?lang=hi", shipment.order_number)
    assert answer["Location"] == f"{page(shipment)}?lang=hi"
    text = post(SHOP, "KS-9999", **{"Accept-Language": "hi"}).content.decode()
    assert "इस नंबर और पिनकोड का कोई पार्सल नहीं मिला।" in text


def test_an_unknown_or_closed_shop_has_no_form(shop: CourierAccount) -> None:
    shipment = make_parcel(shop, "booked")
    assert Client().get("/track/find/nobody/").status_code == 404
    Company.objects.update(is_active=False)
    assert Client().get(SHOP).status_code == 404
    assert post(SHOP, shipment.order_number).status_code == 404
    shown = Client().get(page(shipment)).content.decode()
    assert SHOP not in shown


def test_the_tries_of_an_address_are_limited(shop: CourierAccount, monkeypatch: Any) -> None:
    monkeypatch.setattr(find_page, "TRIES_OF_ADDRESS", 2)
    client = Client(REMOTE_ADDR="198.51.100.7")

    def trying(number: str) -> Any:
        return client.post(SHOP, f"number={number}&pincode={PINCODE}", FORM)

    assert [trying("A-1").status_code, trying("A-2").status_code] == [404, 404]
    stopped = trying("A-3")
    assert stopped.status_code == 429
    assert 1 <= int(stopped["Retry-After"]) <= 30
    assert stopped["Cache-Control"] == "no-store"
    assert client.get(SHOP).status_code == 200  # the form itself is still there


@pytest.mark.parametrize("exists", [True, False])
def test_the_tries_of_a_number_are_limited_whoever_tries_and_whether_it_exists(
    shop: CourierAccount, exists: bool
) -> None:
    if exists:
        make_parcel(shop, "booked", order_number="KS-1001")
    spellings = itertools.cycle(["KS-1001", "ks-1001", "#KS-1001"])
    statuses = [post(SHOP, next(spellings), "411005").status_code for _ in range(7)]
    assert statuses == [404] * find_page.TRIES_OF_NUMBER + [429] * 2
    assert post(SHOP, "KS-1002", "411005").status_code == 404  # another number is not


def test_nothing_that_was_typed_is_logged(shop: CourierAccount, caplog: Any) -> None:
    make_parcel(shop, "booked", order_number="KS-1001")
    with caplog.at_level("DEBUG"):
        for number, pincode in (("KS-1001", PINCODE), ("KS-1001", "560095"), ("KS-1001", "5600")):
            post(SHOP, number, pincode)
    logged = caplog.text + "".join(
        str(vars(one)) for one in caplog.records if one.name != "django.db.backends"
    )
    for typed in ("KS-1001", "560095", PINCODE):
        assert typed not in logged


def test_a_shipment_of_no_tracking_id_is_not_found_by_nothing(shop: CourierAccount) -> None:
    make_parcel(shop, "preparing")
    ShipmentFactory(account=shop, warehouse=shop.company.warehouses.get(), waybill="")
    for path in (SHOP, ANY):
        assert post(path, "").status_code == 400
