"""Stored labels in the admin: opened by those who may, and never kept by a cache."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from couriers.models import Shipment, StoredDocument
from tests.support.admin_links import buttons, hrefs, list_url, row_links, row_url
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


@pytest.fixture
def operator(client: Client, db: None) -> Any:
    user = make_staff("view_storeddocument", "view_shipment")
    client.force_login(user)
    return user


def test_a_label_opens_from_its_list_its_page_and_its_shipment(
    client: Client, operator: Any, label: StoredDocument, shipment: Shipment
) -> None:
    url = row_url(label, "open")
    assert url in hrefs(client.get(list_url(StoredDocument)))
    (row,) = row_links(client, StoredDocument)
    assert buttons(client, row) == {"open": url}
    assert url in hrefs(client.get(row_url(shipment)))
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
    assert row_url(label, "open") not in hrefs(client.get(row_url(shipment)))
