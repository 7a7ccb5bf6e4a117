"""A storage of documents that is full or broken fails no label and no booking."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from couriers.contract.documents import Document, DocumentKind
from couriers.documents import storing
from couriers.fulfilment.labels import get_label
from couriers.models import Shipment, StoredDocument
from tests.support.factories import ShipmentFactory
from tests.support.outages import outage
from tests.support.tiny_disk import fill, tiny_disk
from tests.support.toy import PDF

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shipment(account: Any, able: Any) -> Shipment:
    return ShipmentFactory(account=account, warehouse=account.company.warehouses.get())


@pytest.fixture
def disk(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """A disk of a megabyte, with the labels."""
    with tiny_disk(tmp_path / "disk") as disk:
        settings.MEDIA_ROOT = str(disk / "media")
        yield disk


def label_of(client: Client, shipment: Shipment) -> bytes:
    answer = client.get(f"/api/v1/shipments/{shipment.pk}/label/")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    assert answer["Content-Disposition"] == f'inline; filename="label-{shipment.pk}.pdf"'
    return b"".join(answer.streaming_content)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.name != "filler"]


def not_stored() -> float:
    return float(storing.NOT_STORED._value.get())


def test_a_label_is_answered_on_a_full_disk_and_stored_once_there_is_room(
    storefront: Client, shipment: Shipment, able: Any, disk: Path
) -> None:
    filler = fill(disk)
    before = not_stored()
    for _ in range(2):
        assert label_of(storefront, shipment) == PDF
    assert (StoredDocument.objects.count(), files(disk), not_stored()) == (0, [], before + 2)
    filler.unlink()
    for _ in range(2):
        assert label_of(storefront, shipment) == PDF
    assert len(files(disk)) == 1
    assert len(able.asked) == 3


def test_no_half_written_file_remains(
    storefront: Client, shipment: Shipment, tmp_path: Path, settings: Any
) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(PDF) // 2, hard))
    try:
        assert get_label(shipment) == PDF
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (files(tmp_path), StoredDocument.objects.count()) == ([], 0)


def test_a_file_in_the_place_of_the_folder_does_not_fail_a_label_or_a_booking(
    storefront: Client, shipment: Shipment, order: Any, tmp_path: Path, settings: Any
) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    (tmp_path / "media").write_text("not a folder")
    assert label_of(storefront, shipment) == PDF
    assert storefront.post("/api/v1/shipments/", order, "application/json").status_code == 201


def test_a_stored_label_is_kept_while_its_disk_is_away(
    storefront: Client, shipment: Shipment, tmp_path: Path, settings: Any
) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    label_of(storefront, shipment)
    stored = StoredDocument.objects.get()
    (tmp_path / "media").rename(tmp_path / "away")
    (tmp_path / "media").write_text("not a folder")
    assert label_of(storefront, shipment) == PDF
    assert StoredDocument.objects.get() == stored
    (tmp_path / "media").unlink()
    (tmp_path / "away").rename(tmp_path / "media")
    assert label_of(storefront, shipment) == PDF
    assert len(files(tmp_path)) == 1


@pytest.mark.own_session
def test_no_file_remains_where_the_row_cannot_be_written(
    storefront: Client, shipment: Shipment, tmp_path: Path, settings: Any
) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    with outage("out_of_disk"), pytest.raises(Exception, match="No space left"):
        storing.store(
            shipment, DocumentKind.LABEL, "T-1", Document(PDF, "application/pdf", "label.pdf")
        )
    assert files(tmp_path) == []
