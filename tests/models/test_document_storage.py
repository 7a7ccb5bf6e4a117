"""Where documents are kept: the alias of SHIPCROWD["STORAGE"], looked up when it is used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.core.files.storage import InMemoryStorage, InvalidStorageError, storages
from django.db.migrations.writer import MigrationWriter

from couriers.fulfilment.labels import get_label
from couriers.models import Shipment, StoredLabel
from tests.support.toy import PDF

pytestmark = pytest.mark.django_db

FILES = "django.core.files.storage.FileSystemStorage"


def keep_documents_in(settings: Any, backend: str, **options: Any) -> None:
    """Have labels kept in a storage of this backend beside the default one."""
    documents = {"BACKEND": backend, "OPTIONS": options}
    settings.STORAGES = {**project.STORAGES, "documents": documents}
    settings.SHIPCROWD = settings.SHIPCROWD | {"STORAGE": "documents"}


def pdfs(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*.pdf")]


@pytest.fixture
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return tmp_path / "media"


def test_labels_go_to_the_default_storage(shipment: Shipment, able: Any, media: Path) -> None:
    get_label(shipment)
    assert pdfs(media) == [PDF]


def test_labels_go_to_the_named_storage_and_are_read_from_it(
    shipment: Shipment, able: Any, settings: Any, media: Path, tmp_path: Path
) -> None:
    keep_documents_in(settings, FILES, location=str(tmp_path / "documents"))
    get_label(shipment)
    assert (pdfs(tmp_path / "documents"), pdfs(media)) == ([PDF], [])
    with get_label(shipment).open("rb") as label:
        assert label.read() == PDF
    assert len(able.asked) == 1


def test_a_storage_without_a_file_system_will_do(
    shipment: Shipment, able: Any, settings: Any
) -> None:
    keep_documents_in(settings, "django.core.files.storage.InMemoryStorage", base_url="/kept/")
    get_label(shipment)
    label = StoredLabel.objects.get()
    assert isinstance(storages["documents"], InMemoryStorage)
    assert storages["documents"].exists(str(label.file.name))
    assert (label.file.size, label.file.url) == (len(PDF), f"/kept/{label.file.name}")


def test_a_migration_names_the_function_and_not_the_storage_of_the_settings(settings: Any) -> None:
    keep_documents_in(settings, "django.core.files.storage.InMemoryStorage")
    field = StoredLabel._meta.get_field("file")
    text, _ = MigrationWriter.serialize(field.clone())
    assert "storage=couriers.models.label.document_storage" in text
    assert "InMemory" not in text


def test_a_wrong_alias_fails_where_a_label_is_fetched_and_not_where_models_are_loaded(
    shipment: Shipment, able: Any, settings: Any
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"STORAGE": "nowhere"}
    StoredLabel._meta.get_field("file").clone()
    with pytest.raises(InvalidStorageError, match="nowhere"):
        get_label(shipment)
    assert not StoredLabel.objects.exists()
