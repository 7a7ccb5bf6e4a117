"""The label of a shipment: fetched once, stored, and served to the company."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from couriers.contract.documents import Document
from couriers.models import Shipment, StoredDocument
from tests.support.api import set_status
from tests.support.factories import ShipmentFactory
from tests.support.toy import PDF


@pytest.fixture
def shipment(account: Any, able: Any) -> Shipment:
    return ShipmentFactory(
        account=account, warehouse=account.company.warehouses.get(), status="undelivered"
    )


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = str(tmp_path)
    return tmp_path


def get_label(client: Client, shipment: Shipment) -> Any:
    return client.get(f"/api/v1/shipments/{shipment.pk}/label/")


def body_of(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def test_a_label_is_fetched_once_and_then_served_from_storage(
    storefront: Client, shipment: Shipment, able: Any, media: Path
) -> None:
    for _ in range(3):
        answer = get_label(storefront, shipment)
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
        assert body_of(answer) == PDF
    assert able.asked == [("get_label", [shipment.tracking_id])]
    assert len(list(media.rglob("*.pdf.sealed"))) == 1


@pytest.mark.parametrize("accepted", ["application/pdf", "application/pdf, */*;q=0.1"])
def test_a_label_is_sent_to_a_client_that_accepts_only_pdf(
    storefront: Client, shipment: Shipment, accepted: str
) -> None:
    url = f"/api/v1/shipments/{shipment.pk}/label/"
    answer = storefront.get(url, headers={"Accept": accepted})
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    assert body_of(answer) == PDF
    set_status(shipment, "in_doubt", tracking_id="")
    refused = storefront.get(url, headers={"Accept": accepted})
    assert (refused.status_code, refused["Content-Type"]) == (409, "application/problem+json")


@pytest.mark.parametrize("slash", ["/", ""])
def test_the_labels_data_is_json_under_a_path_of_its_own(
    storefront: Client, shipment: Shipment, able: Any, monkeypatch: Any, slash: str
) -> None:
    monkeypatch.setattr(able, "get_label_data", lambda self, ids: [{"number": ids[0]}])
    data = storefront.get(f"/api/v1/shipments/{shipment.pk}/label/data{slash}")
    assert (data["Content-Type"], data.json()) == (
        "application/json", {"number": shipment.tracking_id},
    )  # fmt: skip


def test_a_courier_without_label_data_says_so(storefront: Client, shipment: Shipment) -> None:
    answer = storefront.get(f"/api/v1/shipments/{shipment.pk}/label/data/")
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/not-supported")


@pytest.mark.parametrize(
    "content", [b'{"status": false}', b"", b"%PDF-1.4 cut off", b"x%PDF-1.4 %%EOF"]
)
def test_an_incomplete_pdf_is_never_stored(
    storefront: Client, shipment: Shipment, able: Any, media: Path, content: bytes
) -> None:
    able.on_call["get_label"] = lambda _: Document(content, "application/pdf", "l.pdf")
    answer = get_label(storefront, shipment)
    assert (answer.status_code, answer.json()["type"]) == (502, "/problems/unknown-outcome")
    assert not StoredDocument.objects.exists()
    assert list(media.rglob("*.sealed")) == []
    able.on_call.clear()
    assert get_label(storefront, shipment).status_code == 200


def test_a_label_that_is_too_large_is_never_stored(
    storefront: Client, shipment: Shipment, settings: Any
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"LABEL_MAX_BYTES": len(PDF) - 1}
    assert get_label(storefront, shipment).status_code == 502
    assert not StoredDocument.objects.exists()


def test_a_label_missing_from_the_storage_is_fetched_again(
    storefront: Client, shipment: Shipment, able: Any, media: Path
) -> None:
    body_of(get_label(storefront, shipment))
    next(media.rglob("*.sealed")).unlink()
    assert body_of(get_label(storefront, shipment)) == PDF
    assert len(able.asked) == 2


def test_a_recreated_parcel_gets_its_own_label(
    storefront: Client, shipment: Shipment, able: Any
) -> None:
    body_of(get_label(storefront, shipment))
    set_status(shipment, "booked", tracking_id="../../NEW")
    body_of(get_label(storefront, shipment))
    assert able.asked[-1] == ("get_label", ["../../NEW"])
    names = list(StoredDocument.objects.values_list("file", flat=True))
    assert len(set(names)) == 2
    assert all(name.startswith("labels/") and ".." not in name for name in names)


def test_a_shipment_in_doubt_has_no_label_yet(storefront: Client, shipment: Shipment) -> None:
    set_status(shipment, "in_doubt", tracking_id="")
    answer = get_label(storefront, shipment)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/not-booked")
