"""Labels of couriers that give them with the booking, or as a link."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from couriers.booking.protocol import book
from couriers.contract.adapter import Capability
from couriers.contract.documents import DocumentLink
from couriers.models import Shipment, StoredDocument
from tests.support.documents import PDF, ObjectStore, bringing, generous
from tests.support.drafts import DRAFT
from tests.support.factories import ShipmentFactory

pytestmark = pytest.mark.django_db(transaction=True)  # documents are kept after the commit


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = str(tmp_path)
    return tmp_path


@pytest.fixture
def store() -> Iterator[ObjectStore]:
    with ObjectStore() as store:
        store.files["/label"] = ("application/pdf", PDF)
        yield store


def label_of(client: Client, shipment: Shipment) -> Any:
    return client.get(f"/api/v1/shipments/{shipment.pk}/label/")


@pytest.mark.parametrize("more", [(), (Capability.GET_LABEL,)])
def test_a_label_of_the_booking_is_served_without_a_call(
    storefront: Client, account: Any, store: ObjectStore, more: tuple[Capability, ...]
) -> None:
    with generous(*more, hosts=(store.host,)) as courier:
        courier.brings = bringing(store.label("/label"))
        shipment = book(account.company, DRAFT).shipment
        for _ in range(2):
            answer = label_of(storefront, shipment)
            assert (answer.status_code, b"".join(answer.streaming_content)) == (200, PDF)
    assert (courier.asked, len(store.requests)) == ([], 1)


def test_a_label_that_is_still_being_fetched_is_asked_for_later(
    storefront: Client, account: Any, store: ObjectStore
) -> None:
    store.broken["/label"] = 1
    with generous(hosts=(store.host,)) as courier:
        courier.brings = bringing(store.label("/label"))
        shipment = book(account.company, DRAFT).shipment
        answer = label_of(storefront, shipment)
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/not-done")
    assert answer["Retry-After"] == "10"


def test_a_label_that_could_not_be_fetched_says_why(
    storefront: Client, account: Any, store: ObjectStore, settings: Any
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"DOCUMENT_FAILURES": 1}
    with generous(hosts=(store.host,)) as courier:
        courier.brings = bringing(store.label("/nothing"))
        shipment = book(account.company, DRAFT).shipment
        answer = label_of(storefront, shipment)
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
    assert "not there" in answer.json()["detail"]


def test_where_no_label_ever_came_the_courier_has_none(storefront: Client, account: Any) -> None:
    with generous():
        shipment = book(account.company, DRAFT).shipment
        answer = label_of(storefront, shipment)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/not-supported")


def test_a_courier_that_has_labels_is_asked_while_that_of_the_booking_is_pending(
    storefront: Client, account: Any, store: ObjectStore
) -> None:
    store.broken["/label"] = 1
    with generous(Capability.GET_LABEL, hosts=(store.host,)) as courier:
        courier.brings = bringing(store.label("/label"))
        courier.answers["get_label"] = store.link("/label")
        shipment = book(account.company, DRAFT).shipment
        assert StoredDocument.objects.get().state == "pending"
        assert label_of(storefront, shipment).status_code == 200
    document = StoredDocument.objects.get()
    assert (document.state, document.link, document.reason) == ("stored", None, "")


def test_a_link_is_fetched_once_and_then_served_from_the_store(
    storefront: Client, account: Any, store: ObjectStore
) -> None:
    shipment = ShipmentFactory(account=account, warehouse=account.company.warehouses.get())
    with generous(Capability.GET_LABEL, hosts=(store.host,)) as courier:
        courier.answers["get_label"] = store.link("/label")
        for _ in range(2):
            answer = label_of(storefront, shipment)
            assert (answer.status_code, b"".join(answer.streaming_content)) == (200, PDF)
    assert courier.asked == [("get_label", [shipment.tracking_id])]
    assert len(store.requests) == 1


@pytest.mark.parametrize(
    ("answered", "status"),
    [
        (DocumentLink("http://10.0.0.1/label", "l.pdf"), 422),
        (DocumentLink("https://elsewhere.example/label", "l.pdf"), 422),
        ("https://elsewhere.example/label", 502),
        (None, 502),
    ],
)
def test_a_link_that_lies_is_refused_and_stores_nothing(
    storefront: Client, account: Any, answered: Any, status: int
) -> None:
    shipment = ShipmentFactory(account=account, warehouse=account.company.warehouses.get())
    with generous(Capability.GET_LABEL) as courier:
        courier.answers["get_label"] = answered
        answer = label_of(storefront, shipment)
    assert answer.status_code == status
    assert b"elsewhere" not in answer.content
    assert not StoredDocument.objects.exists()
