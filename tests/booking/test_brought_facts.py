"""What a booking brings beside its ids: charges, the courier's order id, its page, the service."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from couriers.booking.protocol import book
from couriers.contract.documents import BookingDocument, DocumentKind
from couriers.contract.types import MAX_SERVICE, Booking, Charges
from couriers.models import IdempotencyKey, Shipment, StoredDocument
from couriers.tracking.confirmation import apply_creation
from tests.support.api import SHIPMENTS, post_shipment
from tests.support.commands import run_json
from tests.support.documents import GenerousAdapter, bringing, generous, pdf
from tests.support.drafts import DRAFT, created_event, draft_with

pytestmark = pytest.mark.django_db

CHARGES = Charges(
    total=Decimal("118"),
    parts={"freight": Decimal("80"), "cod": Decimal("20.5")},
    gst=Decimal("17.50"),
    billed_weight_g=500,
)
PAGE = "https://track.example/GEN-A-1?a=b"
FACTS = {
    "charges": CHARGES, "courier_order_id": "ORD77", "vendor": "Road Runner",
    "tracking_url": PAGE,
}  # fmt: skip
ANSWERED = {
    "total": "118.00", "gst": "17.50", "parts": {"cod": "20.50", "freight": "80.00"},
    "billed_weight_g": 500,
}  # fmt: skip


@pytest.fixture
def courier(account: Any) -> Iterator[type[GenerousAdapter]]:
    with generous() as adapter:
        adapter.brings = bringing(**FACTS)
        yield adapter


def test_they_are_answered_kept_and_replayed_byte_for_byte(
    storefront: Client, order: Any, courier: Any
) -> None:
    first = post_shipment(storefront, order, **{"Idempotency-Key": "k"})
    told = first.json()
    assert (told["charges"], told["courier_order_id"]) == (ANSWERED, "ORD77")
    assert (told["vendor"], told["courier_tracking_url"]) == ("Road Runner", PAGE)
    assert told["tracking_url"].endswith(f"/track/{told['id']}/")  # ours, as ever
    again = post_shipment(storefront, order, **{"Idempotency-Key": "k"})
    assert again.content == first.content
    shown = storefront.get(f"{SHIPMENTS}{told['id']}/").content
    assert shown.startswith(first.content.removesuffix(b"}"))


def test_a_courier_that_names_no_charges_has_null(account: Any, courier: Any) -> None:
    courier.brings = Booking
    shipment = book(account.company, DRAFT).shipment
    assert (shipment.charges, shipment.courier_order_id, shipment.courier_tracking_url) == (
        None, "", "",
    )  # fmt: skip


@pytest.mark.parametrize(
    "charges",
    [
        Charges(Decimal("NaN")),
        Charges(Decimal("Infinity")),
        Charges(118.0),  # type: ignore[arg-type]
        Charges(Decimal(1), parts={"x": "free"}),  # type: ignore[dict-item]
        Charges(Decimal(1), parts=None),  # type: ignore[arg-type]
        Charges(Decimal(1), billed_weight_g=float("nan")),  # type: ignore[arg-type]
        Charges(Decimal("1e20")),
        "118.00",
    ],
)
def test_charges_that_are_none_are_left_out_and_the_order_is_booked(
    account: Any, courier: Any, charges: Any
) -> None:
    courier.brings = bringing(charges=charges)
    result = book(account.company, DRAFT)
    assert (result.status_code, result.shipment.charges) == (201, None)


@pytest.mark.parametrize(
    "page", ["javascript:alert(1)", "track.example/1", "https://a b/", "https://", "//[", 7, None]
)
def test_a_tracking_page_that_is_no_page_of_the_web_is_left_out(
    account: Any, courier: Any, page: Any
) -> None:
    courier.brings = bringing(tracking_url=page)
    assert book(account.company, DRAFT).shipment.courier_tracking_url == ""


@pytest.mark.django_db(transaction=True)
def test_an_answer_after_the_callback_that_confirmed_it_still_brings_them(
    account: Any, courier: Any, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    label = BookingDocument(DocumentKind.LABEL, pdf())

    def confirmed_first(tracking_id: str) -> Booking:
        apply_creation(account, created_event("A-1", tracking_id))
        return Booking(tracking_id, documents=(label,), **FACTS)

    courier.brings = staticmethod(confirmed_first)
    assert book(account.company, DRAFT).status_code == 201
    shipment = Shipment.objects.get()
    assert (shipment.courier_order_id, shipment.courier_tracking_url) == ("ORD77", PAGE)
    assert shipment.charges["total"] == "118.00"
    assert (shipment.waybill, shipment.vendor) == ("W9", "TOY")  # the event's
    assert StoredDocument.objects.get().state == "stored"


def test_a_new_attempt_keeps_nothing_of_the_one_before(account: Any, courier: Any) -> None:
    first = book(account.company, DRAFT, key="k").shipment
    Shipment.objects.filter(pk=first.pk).update(status="failed", tracking_id="")
    IdempotencyKey.objects.update(response_status=None, response_body=None)
    courier.brings = Booking
    again = book(account.company, DRAFT, key="k").shipment
    again.refresh_from_db()
    assert (again.pk, again.charges, again.courier_order_id) == (first.pk, None, "")


SERVICE = "CAR" + "9" * (MAX_SERVICE - 3)


@pytest.mark.django_db(transaction=True)  # the file is booked by threads
def test_a_quotes_service_is_booked_whole_by_every_door(
    storefront: Client, order: Any, courier: Any, account: Any, tmp_path: Any
) -> None:
    told = post_shipment(storefront, order | {"service": SERVICE}).json()
    assert told["service"] == SERVICE
    book(account.company, draft_with(order_number="A-2", service=SERVICE))
    file = tmp_path / "orders.csv"
    file.write_text(
        "order_number,order_date,payment_mode,consignee_name,consignee_phone,address,city,state,"
        "pincode,product,category,hsn_code,quantity,unit_weight_g,length_cm,width_cm,height_cm,"
        "order_value,gst_rate,service\n"
        "A-3,2026-11-23,PREPAID,Asha Sample,9845010000,1 Example Street,Bengaluru,Karnataka,"
        f"560034,Kurta,Kurta,62114290,1,320,30,22,6,1149.00,5,{SERVICE}\n"
    )
    booked = run_json(
        "book_orders", str(file), "--company", account.company.slug, "--courier", "toy"
    )
    assert booked["booked"] == 1
    assert [request.service for request in courier.requests] == [SERVICE] * 3
    assert set(Shipment.objects.values_list("service", flat=True)) == {SERVICE}
    too_long = post_shipment(storefront, order | {"order_number": "A-4", "service": SERVICE + "9"})
    assert (too_long.status_code, too_long.json()["errors"][0]["field"]) == (400, "service")
