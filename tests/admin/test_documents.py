"""Documents in the admin: opened by those who may, and never kept by a cache."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from couriers.contract.adapter import Capability
from couriers.contract.documents import Document
from couriers.contract.errors import NotFound
from couriers.models import Shipment, StoredDocument
from tests.support.admin_links import buttons, hrefs, list_url, row_links, row_url
from tests.support.api import set_status
from tests.support.documents import PNG, generous
from tests.support.factories import make_staff

PDF = b"%PDF-1.4\n% the label of a test\n%%EOF\n"


@pytest.fixture
def label(shipment: Shipment, settings: Any, tmp_path: Path) -> StoredDocument:
    settings.MEDIA_ROOT = str(tmp_path)
    (tmp_path / "labels").mkdir()
    label = StoredDocument(
        shipment=shipment, tracking_id=shipment.tracking_id, file="labels/a.pdf.sealed"
    )
    (tmp_path / "labels" / "a.pdf.sealed").write_bytes(label.seal(PDF))
    label.save()
    return StoredDocument.objects.get()


def documents_url(shipment: Shipment) -> str:
    """The tab of the documents on the shipment's page."""
    return f"{row_url(shipment)}?tab=documents"


@pytest.fixture
def operator(client: Client, db: None) -> Any:
    user = make_staff("view_storeddocument", "view_shipment", "view_amounts")
    client.force_login(user)
    return user


def test_a_label_opens_from_its_list_its_page_and_its_shipment(
    client: Client, operator: Any, label: StoredDocument, shipment: Shipment
) -> None:
    url = row_url(label, "open")
    assert url in hrefs(client.get(list_url(StoredDocument)))
    (row,) = row_links(client, StoredDocument)
    assert buttons(client, row) == {"open": url}
    assert url in hrefs(client.get(documents_url(shipment)))
    assert row_url(shipment, "label") in hrefs(client.get(row_url(shipment)))
    assert client.get(row_url(shipment, "label")).getvalue() == PDF
    answer = client.get(url)
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content) == PDF
    assert answer.headers["Content-Type"] == "application/pdf"
    name = f"label-{shipment.tracking_id}.pdf"
    assert answer.headers["Content-Disposition"] == f'inline; filename="{name}"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert {"private", "no-store"} <= set(answer.headers["Cache-Control"].split(", "))


def test_a_label_whose_file_is_gone_is_a_404_in_words(
    client: Client, operator: Any, label: StoredDocument, tmp_path: Path
) -> None:
    (tmp_path / "labels" / "a.pdf.sealed").unlink()
    answer = client.get(row_url(label, "open"))
    assert answer.status_code == 404
    text = answer.content.decode()
    assert "The storage no longer has the file" in text
    assert row_url(label) in hrefs(answer)
    label.delete()
    assert client.get(f"{list_url(StoredDocument)}999/open/").status_code == 404
    assert client.get(f"{list_url(StoredDocument)}no-number/open/").status_code == 404


def test_opening_a_label_needs_the_permission(
    client: Client, label: StoredDocument, shipment: Shipment
) -> None:
    assert client.get(row_url(label, "open")).headers["Location"].startswith("/admin/login/")
    client.force_login(make_staff("view_shipment", username="watcher"))
    assert client.get(row_url(label, "open")).status_code == 403
    assert client.get(row_url(shipment, "label")).status_code in (302, 403)
    for page in (row_url(shipment), documents_url(shipment)):
        found = hrefs(client.get(page))
        assert not {row_url(label, "open"), row_url(shipment, "label")} & set(found)


def test_a_document_that_could_not_be_had_says_why(
    client: Client, operator: Any, shipment: Shipment
) -> None:
    document = StoredDocument.objects.create(
        shipment=shipment, tracking_id=shipment.tracking_id, state="failed", failures=12,
        reason="the document is not application/pdf", link="https://store.example/?link-is-secret",
    )  # fmt: skip
    pages = [list_url(StoredDocument), row_url(document), documents_url(shipment)]
    texts = [client.get(url).content.decode() for url in pages]
    assert all("Failed" in text for text in texts)
    assert all("the document is not application/pdf" in text for text in texts[1:])
    assert not any("link-is-secret" in text for text in texts)
    assert row_url(document, "open") not in hrefs(client.get(documents_url(shipment)))
    answer = client.get(row_url(document, "open"))
    assert answer.status_code == 404
    assert "It is failed: the document is not application/pdf" in answer.content.decode()


@pytest.fixture
def delivered(shipment: Shipment, settings: Any, tmp_path: Path) -> Shipment:
    settings.MEDIA_ROOT = str(tmp_path)
    set_status(shipment, "delivered")
    return shipment


def test_the_proof_of_a_delivery_opens_from_its_shipment(
    client: Client, operator: Any, delivered: Shipment
) -> None:
    with generous(Capability.GET_PROOF_OF_DELIVERY) as courier:
        courier.answers["get_proof_of_delivery"] = Document(PNG, "image/png", "x")
        button = buttons(client, row_url(delivered))["proof"]
        for _ in range(2):
            answer = client.get(button, follow=True)
            assert b"".join(answer.streaming_content) == PNG
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    name = f"proof-of-delivery-{delivered.tracking_id}.png"
    assert answer.headers["Content-Disposition"] == f'inline; filename="{name}"'
    assert {"private", "no-store"} <= set(answer.headers["Cache-Control"].split(", "))
    assert len(courier.asked) == 1
    url = row_url(StoredDocument.objects.get(), "open")
    assert url in hrefs(client.get(documents_url(delivered)))


def test_while_there_is_no_proof_the_page_says_so(
    client: Client, operator: Any, delivered: Shipment
) -> None:
    with generous(Capability.GET_PROOF_OF_DELIVERY) as courier:
        courier.answers["get_proof_of_delivery"] = NotFound("none yet", courier="toy")
        button = buttons(client, row_url(delivered))["proof"]
        answer = client.get(button, follow=True)
    assert answer.redirect_chain[-1][0] == row_url(delivered)
    assert "none yet" in answer.content.decode().lower()


def test_the_button_is_there_only_where_a_proof_can_be(
    client: Client, operator: Any, delivered: Shipment
) -> None:
    with generous():
        assert "proof" not in buttons(client, row_url(delivered))
    with generous(Capability.GET_PROOF_OF_DELIVERY):
        assert "proof" in buttons(client, row_url(delivered))
        set_status(delivered, "in_transit")
        assert "proof" not in buttons(client, row_url(delivered))
        set_status(delivered, "delivered", erased_at=timezone.now())
        assert "proof" not in buttons(client, row_url(delivered))


def test_a_proof_needs_the_permission(client: Client, delivered: Shipment) -> None:
    client.force_login(make_staff("view_shipment", username="watcher"))
    with generous(Capability.GET_PROOF_OF_DELIVERY) as courier:
        assert "proof" not in buttons(client, row_url(delivered))
        assert client.get(row_url(delivered, "proof")).status_code == 403
        assert client.get(row_url(delivered, "proof-of-delivery")).status_code == 403
    assert courier.asked == []


def test_the_page_of_a_shipment_shows_what_its_booking_brought(
    client: Client, operator: Any, shipment: Shipment
) -> None:
    Shipment.objects.filter(pk=shipment.pk).update(
        courier_order_id="ORD77", vendor="Road Runner",
        charges={"total": "118.00", "gst": "17.50", "parts": {"freight": "80.00"},
                 "billed_weight_g": 500},
    )  # fmt: skip
    text = client.get(row_url(shipment)).content.decode()
    assert "ORD77" in text
    assert "Road Runner" in text
    assert "118.00" not in text
    money = f"{row_url(shipment)}?tab=money"
    text = client.get(money).content.decode()
    for shown in ("₹118.00", "freight", "₹80.00", "₹17.50", "500 g"):
        assert shown in text
    client.force_login(make_staff("view_shipment", username="support"))
    assert "118.00" not in client.get(money).content.decode()
