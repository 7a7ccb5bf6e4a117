"""Many labels in one PDF: in order, in the courier's batch size, and from the store."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pypdf import PdfReader

from couriers.contract.adapter import Capability
from couriers.contract.documents import Document
from couriers.contract.errors import RateLimited, Rejected
from couriers.contract.registry import CourierFactory
from couriers.fulfilment import many_labels
from couriers.models import Shipment, StoredDocument
from sandbox.pdf import Label, draw_labels
from tests.support.api import post_json, set_status
from tests.support.documents import GenerousAdapter, generous
from tests.support.factories import (
    CompanyFactory,
    CourierAccountFactory,
    CourierRowFactory,
    ShipmentFactory,
    make_api_key,
)
from tests.support.toy import PDF

pytestmark = pytest.mark.django_db
URL = "/api/v1/labels/"


class Printing(GenerousAdapter):
    """Gives one page for each label, with the tracking id on it."""

    def get_label(self, tracking_ids: Sequence[str]) -> Document:
        self.asked.append(("get_label", list(tracking_ids)))
        if "REFUSED" in tracking_ids:
            raise Rejected("no label", courier="toy")
        pages = [Label([tracking_id], barcode=tracking_id) for tracking_id in tracking_ids]
        return Document(draw_labels(pages), "application/pdf", "labels.pdf")


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path)


@pytest.fixture
def shipments(account: Any) -> list[Shipment]:
    warehouse = account.company.warehouses.get()
    return [ShipmentFactory(account=account, warehouse=warehouse) for _ in range(5)]


@pytest.fixture
def courier(account: Any) -> Iterator[type[GenerousAdapter]]:
    with generous(Capability.GET_LABEL, get_label=Printing.get_label, label_size=2) as adapter:
        yield adapter


def ask(client: Client, shipments: Sequence[Shipment], **headers: str) -> Any:
    return post_json(client, URL, {"shipments": ids_of(shipments)}, **headers)


def printed(answer: Any) -> list[str]:
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    reader = PdfReader(io.BytesIO(b"".join(answer.streaming_content)))
    return [page.extract_text().split()[0] for page in reader.pages]


def ids_of(shipments: Iterable[Shipment]) -> list[str]:
    return [each.pk for each in shipments]


def ids(shipments: Sequence[Shipment]) -> list[str]:
    return [each.tracking_id for each in shipments]


def test_they_are_fetched_in_the_couriers_batch_size_and_merged_in_order(
    storefront: Client, shipments: list[Shipment], courier: Any
) -> None:
    wanted = [shipments[number] for number in (3, 0, 4, 1, 2)]
    assert printed(ask(storefront, wanted, Accept="application/pdf")) == ids(wanted)
    assert [len(asked) for _, asked in courier.asked] == [2, 2, 1]


def test_what_is_stored_is_not_fetched_and_keeps_its_place(
    storefront: Client, shipments: list[Shipment], courier: Any
) -> None:
    storefront.get(f"/api/v1/shipments/{shipments[1].pk}/label/")
    courier.asked.clear()
    assert printed(ask(storefront, shipments)) == ids(shipments)
    asked = [tracking_id for _, batch in courier.asked for tracking_id in batch]
    assert asked == ids([shipments[0], *shipments[2:]])


def test_a_courier_that_gives_one_label_a_call_is_asked_for_each_once(
    storefront: Client, shipments: list[Shipment], courier: Any
) -> None:
    courier.label_size = 1
    for _ in range(2):
        assert printed(ask(storefront, shipments)) == ids(shipments)
    assert len(courier.asked) == StoredDocument.objects.count() == 5


def test_a_shipment_that_is_named_twice_has_one_page(
    storefront: Client, shipments: list[Shipment], courier: Any
) -> None:
    assert printed(ask(storefront, [shipments[0], shipments[0]])) == ids(shipments[:1])


def test_every_label_that_cannot_be_had_is_named_and_there_is_no_pdf_without_it(
    storefront: Client, shipments: list[Shipment], courier: Any
) -> None:
    set_status(shipments[2], "booked", tracking_id="REFUSED")
    set_status(shipments[4], "in_doubt", tracking_id="")
    answer = ask(storefront, shipments)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/labels-missing")
    assert answer.json()["errors"] == [
        {"field": "shipments[2]", "message": f"{shipments[2].pk}: no label"},
        {"field": "shipments[4]", "message": f"{shipments[4].pk}: It is in doubt."},
    ]
    assert "retry_after" not in answer.json()


def test_labels_that_may_come_later_are_asked_for_again(
    storefront: Client, shipments: list[Shipment], courier: Any, monkeypatch: Any
) -> None:
    def later(self: Any, tracking_ids: Sequence[str]) -> Document:
        if shipments[0].tracking_id in tracking_ids:
            raise RateLimited("a limit is used up", courier="toy", retry_after=3)
        return Printing.get_label(self, tracking_ids)

    monkeypatch.setattr(courier, "get_label", later)
    answer = ask(storefront, shipments)
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/not-sent")
    assert answer["Retry-After"] == "3"
    assert answer.json()["detail"].endswith(", ".join(each.pk for each in shipments[:2]))


@pytest.mark.parametrize(
    "content",
    [
        b"%PDF-1.4 and no more %%EOF",
        b"%PDF-1.4\n" + b"\x00" * 100 + b"%%EOF",
        PDF.replace(b"/Kids[3 0 R]/Count 1", b"/Kids[] /Count 0   "),
        PDF.replace(b"288 432", b"  0   0"),
        PDF.replace(b"/Parent 2 0 R", b"/Rotate    45"),
    ],
)
def test_a_pdf_that_cannot_be_read_is_named_with_its_shipment(
    storefront: Client, shipments: list[Shipment], courier: Any, monkeypatch: Any, content: bytes
) -> None:
    def broken(self: Any, tracking_ids: Sequence[str]) -> Document:
        if shipments[3].tracking_id in tracking_ids:
            return Document(content, "application/pdf", "l.pdf")
        return Printing.get_label(self, tracking_ids)

    monkeypatch.setattr(courier, "get_label", broken)
    answer = ask(storefront, shipments)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/labels-missing")
    (error,) = answer.json()["errors"]
    assert error["field"] == "shipments[3]"
    assert error["message"].startswith(f"{shipments[3].pk}: the courier's PDF ")


@pytest.mark.parametrize("pages", [1, 3])
def test_a_batch_with_another_number_of_pages_is_asked_for_one_by_one(
    storefront: Client, shipments: list[Shipment], courier: Any, monkeypatch: Any, pages: int
) -> None:
    def odd(self: Any, tracking_ids: Sequence[str]) -> Document:
        if len(tracking_ids) == 2:
            return Printing.get_label(self, [*tracking_ids, "ANOTHER"][:pages])
        return Printing.get_label(self, tracking_ids)

    monkeypatch.setattr(courier, "get_label", odd)
    assert printed(ask(storefront, shipments)) == ids(shipments)
    assert StoredDocument.objects.count() == 5


def test_labels_of_two_couriers_in_turn_are_fetched_in_two_batches(
    storefront: Client, account: Any, shipments: list[Shipment], courier: Any
) -> None:
    courier.label_size = 10
    second = type("Second", (courier,), {"code": "second", "asked": []})
    CourierFactory.register(second)
    row = CourierRowFactory(code="second", name="Second")
    other = CourierAccountFactory(company=account.company, courier=row)
    theirs = [ShipmentFactory(account=other, warehouse=shipments[0].warehouse) for _ in range(5)]
    mixed = [each for pair in zip(shipments, theirs, strict=True) for each in pair]
    try:
        assert printed(ask(storefront, mixed)) == ids(mixed)
    finally:
        CourierFactory.unregister("second")
    assert (len(courier.asked), len(second.asked)) == (1, 1)


@pytest.mark.parametrize(
    ("page_format", "pages", "size"),
    [
        ("original", 5, (288, 432)),
        ("a4", 5, (595, 842)),
        ("4x6", 5, (288, 432)),
        ("a4_4up", 2, (595, 842)),
    ],
)
def test_they_are_put_on_the_pages_asked_for_in_order(
    storefront: Client,
    shipments: list[Shipment],
    courier: Any,
    page_format: str,
    pages: int,
    size: Any,
) -> None:
    wanted = {"shipments": ids_of(reversed(shipments)), "format": page_format}
    answer = post_json(storefront, URL, wanted)
    reader = PdfReader(io.BytesIO(b"".join(answer.streaming_content)))
    assert len(reader.pages) == pages
    boxes = {(round(page.mediabox.width), round(page.mediabox.height)) for page in reader.pages}
    assert boxes == {size}
    texts = " ".join(page.extract_text() for page in reader.pages).split()
    assert texts == ids(list(reversed(shipments)))


def test_labels_that_are_too_large_together_are_refused(
    storefront: Client, shipments: list[Shipment], courier: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(many_labels, "MAX_REQUEST_BYTES", 5000)
    answer = ask(storefront, shipments)
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too-large")


def test_what_the_courier_refuses_together_is_named_one_by_one(
    storefront: Client, shipments: list[Shipment], courier: Any
) -> None:
    courier.label_size = 5
    set_status(shipments[1], "booked", tracking_id="REFUSED")
    answer = ask(storefront, shipments)
    assert [error["field"] for error in answer.json()["errors"]] == ["shipments[1]"]
    assert [len(asked) for _, asked in courier.asked] == [5, 2, 1, 1, 3]


def test_anothers_shipment_is_named_as_unknown(
    client: Client, shipments: list[Shipment], courier: Any
) -> None:
    key = make_api_key(CompanyFactory())
    answer = ask(client, shipments[:2], Authorization=f"Bearer {key}")
    assert answer.status_code == 400
    fields = [error["field"] for error in answer.json()["errors"]]
    assert fields == ["shipments[0]", "shipments[1]"]
    assert courier.asked == []


def test_an_unknown_format_is_refused(
    storefront: Client, shipments: list[Shipment], courier: Any
) -> None:
    answer = post_json(storefront, URL, {"shipments": ids_of(shipments), "format": "A5"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "format")


@pytest.mark.parametrize("wanted", [[], ["x"] * 1001, "x", None, [7]])
def test_a_wrong_list_is_refused(storefront: Client, courier: Any, wanted: Any) -> None:
    answer = post_json(storefront, URL, {"shipments": wanted})
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/validation")
