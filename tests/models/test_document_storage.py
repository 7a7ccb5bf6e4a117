"""Where documents are kept: the alias of SHIPCROWD["STORAGE"], looked up when it is used."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.conf import settings as project
from django.core.files.storage import InMemoryStorage, InvalidStorageError, storages
from django.db import connection
from django.db.migrations.writer import MigrationWriter

from couriers.fulfilment.labels import get_label
from couriers.models import Shipment, StoredDocument
from tests.support.toy import PDF

pytestmark = pytest.mark.django_db

FILES = "django.core.files.storage.FileSystemStorage"


def keep_documents_in(settings: Any, backend: str, **options: Any) -> None:
    """Have labels kept in a storage of this backend beside the default one."""
    documents = {"BACKEND": backend, "OPTIONS": options}
    settings.STORAGES = {**project.STORAGES, "documents": documents}
    settings.SHIPCROWD = settings.SHIPCROWD | {"STORAGE": "documents"}


def labels_in(folder: Path) -> list[bytes]:
    """Return the decrypted labels that the folder keeps."""
    stored = StoredDocument.objects.order_by("pk")
    files = [folder / str(label.file.name) for label in stored]
    return [
        label.unseal(file.read_bytes())
        for label, file in zip(stored, files, strict=True)
        if file.exists()
    ]


@pytest.fixture
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return tmp_path / "media"


def test_labels_go_to_the_default_storage(shipment: Shipment, able: Any, media: Path) -> None:
    get_label(shipment)
    assert labels_in(media) == [PDF]


def test_a_file_is_encrypted_and_no_other_user_reads_it(
    shipment: Shipment, able: Any, media: Path
) -> None:
    get_label(shipment)
    (file,) = media.rglob("*.sealed")
    assert b"%PDF" not in file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in (file.parent, media)} == {0o700}


def test_a_plain_file_of_a_former_version_is_deleted_and_fetched_again(
    shipment: Shipment, able: Any, media: Path
) -> None:
    media.mkdir()
    (media / "old.pdf").write_bytes(PDF)
    StoredDocument.objects.create(
        shipment=shipment, tracking_id=shipment.tracking_id, file="old.pdf"
    )
    assert get_label(shipment) == PDF
    assert not (media / "old.pdf").exists()
    assert (labels_in(media), len(able.asked)) == ([PDF], 1)


def test_a_damaged_file_is_fetched_again(shipment: Shipment, able: Any, media: Path) -> None:
    get_label(shipment)
    next(media.rglob("*.sealed")).write_bytes(b"cut off")
    assert get_label(shipment) == PDF
    assert (labels_in(media), len(able.asked)) == ([PDF], 2)


def test_a_label_whose_key_this_process_lacks_is_served_and_kept(
    shipment: Shipment, able: Any, media: Path
) -> None:
    get_label(shipment)
    lost = Fernet(Fernet.generate_key()).encrypt(b"x")
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {StoredDocument._meta.db_table} SET file_key = %s", [lost])
    assert get_label(shipment) == PDF
    assert StoredDocument.objects.get().file_key.token == lost
    assert len(list(media.rglob("*.sealed"))) == 1


def test_labels_go_to_the_named_storage_and_are_read_from_it(
    shipment: Shipment, able: Any, settings: Any, media: Path, tmp_path: Path
) -> None:
    keep_documents_in(settings, FILES, location=str(tmp_path / "documents"))
    get_label(shipment)
    assert (labels_in(tmp_path / "documents"), labels_in(media)) == ([PDF], [])
    assert get_label(shipment) == PDF
    assert len(able.asked) == 1


def test_a_storage_without_a_file_system_will_do(
    shipment: Shipment, able: Any, settings: Any
) -> None:
    keep_documents_in(settings, "django.core.files.storage.InMemoryStorage", base_url="/kept/")
    get_label(shipment)
    label = StoredDocument.objects.get()
    assert isinstance(storages["documents"], InMemoryStorage)
    assert storages["documents"].exists(str(label.file.name))
    assert label.file.url == f"/kept/{label.file.name}"
    assert get_label(shipment) == PDF


def test_a_migration_names_the_function_and_not_the_storage_of_the_settings(settings: Any) -> None:
    keep_documents_in(settings, "django.core.files.storage.InMemoryStorage")
    field = StoredDocument._meta.get_field("file")
    text, _ = MigrationWriter.serialize(field.clone())
    assert "storage=couriers.models.document.document_storage" in text
    assert "InMemory" not in text


def test_a_wrong_alias_fails_where_a_label_is_fetched_and_not_where_models_are_loaded(
    shipment: Shipment, able: Any, settings: Any
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"STORAGE": "nowhere"}
    StoredDocument._meta.get_field("file").clone()
    with pytest.raises(InvalidStorageError, match="nowhere"):
        get_label(shipment)
    assert not StoredDocument.objects.exists()
