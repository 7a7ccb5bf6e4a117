"""Many labels in one PDF: in order, in the courier's batch size, and from the store."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pypdf import PdfReader

from couriers.contract.adapter import Capability
from couriers.contract.documents import Document
from couriers.contract.errors import Rejected
from couriers.models import Shipment, StoredDocument
from sandbox.pdf import Label, draw_labels
from tests.support.api import post_json, set_status
from tests.support.documents import GenerousAdapter, generous
from tests.support.factories import CompanyFactory, ShipmentFactory, make_api_key

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
    return post_json(client, URL, {"shipments": [each.pk for each in shipments]}, **headers)


def printed(answer: Any) -> list[str]:
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    reader = PdfReader(io.BytesIO(b"".join(answer.streaming_content)))
    return [page.extract_text().split()[0] for page in reader.pages]


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


def test_one_label_that_cannot_be_had_fails_them_all(
    storefront: Client, shipments: list[Shipment], courier: Any
) -> None:
    set_status(shipments[2], "booked", tracking_id="REFUSED")
    answer = ask(storefront, shipments)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/rejected")
    set_status(shipments[2], "in_doubt", tracking_id="")
    answer = ask(storefront, shipments)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/not-booked")


def test_anothers_shipment_is_named_as_unknown(
    client: Client, shipments: list[Shipment], courier: Any
) -> None:
    key = make_api_key(CompanyFactory())
    answer = ask(client, shipments[:2], Authorization=f"Bearer {key}")
    assert answer.status_code == 400
    fields = [error["field"] for error in answer.json()["errors"]]
    assert fields == ["shipments[0]", "shipments[1]"]
    assert courier.asked == []


@pytest.mark.parametrize("wanted", [[], ["x"] * 51, "x", None, [7]])
def test_a_wrong_list_is_refused(storefront: Client, courier: Any, wanted: Any) -> None:
    answer = post_json(storefront, URL, {"shipments": wanted})
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/validation")
