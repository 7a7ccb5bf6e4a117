"""The proof of a delivery: fetched once, stored, and served as what it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from couriers.contract.adapter import Capability
from couriers.contract.documents import Document
from couriers.contract.errors import NotFound
from couriers.models import Shipment, StoredDocument
from couriers.operations.erasure import erase_locked
from tests.support.api import set_status
from tests.support.documents import JPEG, PDF, PNG, GenerousAdapter, ObjectStore, generous
from tests.support.factories import CompanyFactory, ShipmentFactory, make_api_key

pytestmark = pytest.mark.django_db
KINDS = {"application/pdf": (PDF, "pdf"), "image/jpeg": (JPEG, "jpg"), "image/png": (PNG, "png")}
PROOF = "get_proof_of_delivery"


@pytest.fixture
def shipment(account: Any) -> Shipment:
    warehouse = account.company.warehouses.get()
    return ShipmentFactory(account=account, warehouse=warehouse, status="delivered")


@pytest.fixture
def courier(account: Any) -> Iterator[type[GenerousAdapter]]:
    with generous(Capability.GET_PROOF_OF_DELIVERY) as adapter:
        adapter.answers[PROOF] = Document(PDF, "application/pdf", "pod.pdf")
        yield adapter


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = str(tmp_path)
    return tmp_path


def proof_of(client: Client, shipment: Shipment, **headers: str) -> Any:
    return client.get(f"/api/v1/shipments/{shipment.pk}/proof-of-delivery/", headers=headers)


@pytest.mark.parametrize("content_type", KINDS)
def test_a_proof_is_fetched_once_and_served_as_what_it_is(
    storefront: Client, shipment: Shipment, courier: Any, content_type: str, media: Path
) -> None:
    content, ending = KINDS[content_type]
    courier.answers[PROOF] = Document(content, content_type, "../x.exe")
    for _ in range(2):
        answer = proof_of(storefront, shipment)
        assert (answer.status_code, answer["Content-Type"]) == (200, content_type)
        assert b"".join(answer.streaming_content) == content
        name = f"proof-of-delivery-{shipment.pk}.{ending}"
        assert answer["Content-Disposition"] == f'inline; filename="{name}"'
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "private" in answer["Cache-Control"]
    assert courier.asked == [(PROOF, shipment.tracking_id)]
    (file,) = media.rglob("*.sealed")
    assert content not in file.read_bytes()


def test_a_link_is_followed(storefront: Client, shipment: Shipment, account: Any) -> None:
    with (
        ObjectStore() as store,
        generous(Capability.GET_PROOF_OF_DELIVERY, hosts=(store.host,)) as courier,
    ):
        store.files["/pod"] = ("image/png", PNG)
        courier.answers[PROOF] = store.link("/pod", "application/pdf", "image/png")
        answer = proof_of(storefront, shipment, Accept="image/png")
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")


@pytest.mark.parametrize(
    "content",
    [b"<html>", b"%PDF-1.4 cut off", b"\xff\xd8\xff cut off", b"", PDF.replace(b"%PDF", b"<svg")],
)
@pytest.mark.parametrize("content_type", [*KINDS, "image/svg+xml", "text/html"])
def test_what_is_no_document_is_neither_served_nor_stored(
    storefront: Client, shipment: Shipment, courier: Any, content: bytes, content_type: str
) -> None:
    courier.answers[PROOF] = Document(content, content_type, "pod")
    answer = proof_of(storefront, shipment)
    assert (answer.status_code, answer.json()["type"]) == (502, "/problems/unknown-outcome")
    assert not StoredDocument.objects.exists()


def test_while_there_is_none_it_is_not_found_and_asked_for_again(
    storefront: Client, shipment: Shipment, courier: Any
) -> None:
    proof, courier.answers[PROOF] = courier.answers[PROOF], NotFound("none yet", courier="toy")
    answer = proof_of(storefront, shipment)
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
    courier.answers[PROOF] = proof
    assert proof_of(storefront, shipment).status_code == 200


@pytest.mark.parametrize("status", ["booked", "in_transit", "undelivered", "rto_delivered"])
def test_only_a_delivered_shipment_has_one(
    storefront: Client, shipment: Shipment, courier: Any, status: str
) -> None:
    set_status(shipment, status)
    answer = proof_of(storefront, shipment)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/not-delivered")
    assert courier.asked == []


def test_a_courier_without_proofs_says_so(
    storefront: Client, shipment: Shipment, account: Any
) -> None:
    with generous():
        answer = proof_of(storefront, shipment)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/not-supported")


def test_it_is_erased_with_the_consignee(
    storefront: Client, shipment: Shipment, courier: Any, media: Path,
    django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    proof_of(storefront, shipment)
    with django_capture_on_commit_callbacks(execute=True):
        erase_locked([shipment.pk])
    assert (StoredDocument.objects.count(), list(media.rglob("*.sealed"))) == (0, [])
    answer = proof_of(storefront, shipment)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/shipment-erased")
    assert len(courier.asked) == 1


def test_another_companys_proof_is_not_found(
    client: Client, shipment: Shipment, courier: Any
) -> None:
    key = make_api_key(CompanyFactory())
    assert proof_of(client, shipment, Authorization=f"Bearer {key}").status_code == 404
    assert proof_of(client, shipment).status_code == 401
    assert courier.asked == []


def test_a_proof_that_arrives_after_the_erasure_is_not_kept(
    storefront: Client, shipment: Shipment, courier: Any, media: Path, monkeypatch: Any
) -> None:
    def erased_meanwhile(self: Any, tracking_id: str) -> Document:
        erase_locked([shipment.pk])
        return Document(PDF, "application/pdf", "pod.pdf")

    monkeypatch.setattr(courier, PROOF, erased_meanwhile)
    proof_of(storefront, shipment)
    assert (StoredDocument.objects.count(), list(media.rglob("*.sealed"))) == (0, [])
