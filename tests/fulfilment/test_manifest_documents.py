"""Manifests as PDFs of ours: fetched at once, stored encrypted, and no courier's link is shown."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from couriers.contract.adapter import Capability
from couriers.contract.documents import ManifestDocument
from couriers.fulfilment import manifests
from couriers.models import AuditEntry, ManifestChunk
from couriers.operations import erasure
from tests.support.documents import PDF, SECRET, ObjectStore, generous, pdf
from tests.support.erasure import dump_of
from tests.support.factories import CompanyFactory, make_api_key, make_staff
from tests.support.parcels import make_shipments

pytestmark = pytest.mark.django_db
URL = "/api/v1/manifests/"


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = str(tmp_path)
    return tmp_path


@pytest.fixture
def store() -> Iterator[ObjectStore]:
    with ObjectStore() as running:
        running.files["/m.pdf"] = ("application/pdf", PDF)
        yield running


@pytest.fixture
def courier(account: Any, store: ObjectStore, settings: Any) -> Iterator[Any]:
    """Makes manifests whose documents are behind links of the store."""
    settings.SHIPCROWD = settings.SHIPCROWD | {"MANIFEST_BACKOFF": 0.0, "DEVELOPMENT": True}
    calls: list[Sequence[str]] = []

    def create_manifest(self: Any, tracking_ids: Sequence[str]) -> ManifestDocument:
        calls.append(tracking_ids)
        document = self.answers.get("manifest") or store.link("/m.pdf")
        return ManifestDocument(f"M{len(calls)}", dt.datetime.now(dt.UTC), document)

    with generous(
        Capability.CREATE_MANIFEST, hosts=(store.host,), create_manifest=create_manifest
    ) as adapter:
        adapter.calls = calls
        yield adapter


def chunk_of(account: Any) -> ManifestChunk:
    created = manifests.create_for_shipments(account, make_shipments(account, 2))
    return created.manifest.chunks.get()


def made(account: Any) -> ManifestChunk:
    chunk = chunk_of(account)
    assert manifests.make_chunk(chunk.pk) is None
    chunk.refresh_from_db()
    return chunk


def document_url(chunk: ManifestChunk) -> str:
    return f"{URL}{chunk.manifest_id}/documents/{chunk.position}/"


def test_the_document_is_fetched_at_once_and_served_from_here(
    storefront: Client, account: Any, courier: Any, store: ObjectStore, media: Path
) -> None:
    chunk = made(account)
    assert chunk.state == "done"
    shown = storefront.get(f"{URL}{chunk.manifest_id}/")
    assert store.host not in shown.content.decode()
    (document,) = shown.json()["documents"]
    assert document == {"number": "M1", "url": document_url(chunk), "shipments": 2}
    store.files.clear()
    answer = storefront.get(document["url"], headers={"Accept": "application/pdf"})
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    assert b"".join(answer.streaming_content) == PDF
    assert int(answer["Content-Length"]) == len(PDF)
    (sealed,) = media.rglob("*.sealed")
    assert PDF not in sealed.read_bytes()


def test_a_failed_download_is_tried_again_without_another_manifest(
    storefront: Client, account: Any, courier: Any, store: ObjectStore
) -> None:
    store.broken["/m.pdf"] = 2
    chunk = chunk_of(account)
    for _ in range(2):
        assert manifests.make_chunk(chunk.pk) == 0
        assert SECRET not in dump_of(ManifestChunk._meta.db_table)
    assert storefront.get(document_url(chunk)).status_code == 404
    assert manifests.make_chunk(chunk.pk) is None
    chunk.refresh_from_db()
    assert (chunk.state, chunk.number, chunk.link, len(courier.calls)) == ("done", "M1", None, 1)


def test_a_link_that_is_gone_has_the_manifest_made_again(
    account: Any, courier: Any, store: ObjectStore
) -> None:
    kept = store.files.pop("/m.pdf")
    chunk = chunk_of(account)
    assert manifests.make_chunk(chunk.pk) == 0
    store.files["/m.pdf"] = kept
    assert manifests.make_chunk(chunk.pk) is None
    chunk.refresh_from_db()
    assert (chunk.state, chunk.number, len(courier.calls)) == ("done", "M2", 2)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"status": false}', "not application/pdf"),
        (b"%PDF-1.4 cut off", "not a complete PDF"),
    ],
)
def test_what_is_no_pdf_is_never_stored(
    account: Any, courier: Any, store: ObjectStore, settings: Any, content: bytes, reason: str,
    media: Path,
) -> None:  # fmt: skip
    settings.SHIPCROWD = settings.SHIPCROWD | {"MANIFEST_FAILURES": 1}
    store.files["/m.pdf"] = ("application/pdf", content)
    chunk = made(account)
    assert chunk.state == "failed"
    assert reason in chunk.reason
    assert not list(media.rglob("*.sealed"))


def test_a_link_to_another_host_is_not_followed(
    account: Any, courier: Any, store: ObjectStore
) -> None:
    courier.document_hosts = ()
    chunk = made(account)
    assert (chunk.state, store.requests) == ("failed", [])
    assert "a host that the courier's plug-in does not name" in chunk.reason


def test_a_courier_may_answer_the_document_itself(
    storefront: Client, account: Any, courier: Any, store: ObjectStore
) -> None:
    courier.answers["manifest"] = pdf()
    chunk = made(account)
    assert b"".join(storefront.get(document_url(chunk)).streaming_content) == PDF  # type: ignore[attr-defined]
    assert store.requests == []


def test_a_full_storage_is_tried_again(account: Any, courier: Any, media: Path) -> None:
    (media / "manifests").write_text("a file in the place of the folder")
    chunk = chunk_of(account)
    assert manifests.make_chunk(chunk.pk) == 0
    (media / "manifests").unlink()
    assert manifests.make_chunk(chunk.pk) is None
    assert len(courier.calls) == 1


def test_a_late_worker_leaves_no_file(
    account: Any, courier: Any, store: ObjectStore, media: Path, monkeypatch: Any
) -> None:
    chunk = chunk_of(account)
    answer = courier.create_manifest

    def held_up(self: Any, tracking_ids: Sequence[str]) -> ManifestDocument:
        monkeypatch.setattr(courier, "create_manifest", answer)
        ManifestChunk.objects.update(lease_expires_at=timezone.now())
        assert manifests.make_chunk(chunk.pk) is None
        return answer(self, tracking_ids)  # type: ignore[no-any-return]

    monkeypatch.setattr(courier, "create_manifest", held_up)
    manifests.make_chunk(chunk.pk)
    assert ManifestChunk.objects.get().number == "M1"
    assert len(list(media.rglob("*.sealed"))) == 1


@pytest.mark.parametrize("number", ["2", "99999999999999999999", "0", "-1", "x"])
def test_a_document_that_is_none_is_not_found(
    storefront: Client, account: Any, courier: Any, number: str
) -> None:
    chunk = made(account)
    assert storefront.get(f"{URL}{chunk.manifest_id}/documents/{number}/").status_code == 404


def test_another_companys_document_is_not_found(client: Client, account: Any, courier: Any) -> None:
    chunk = made(account)
    headers = {"Authorization": f"Bearer {make_api_key(CompanyFactory())}"}
    assert client.get(document_url(chunk), headers=headers).status_code == 404


def test_an_erased_shipment_takes_the_manifest_away(
    storefront: Client, account: Any, courier: Any, media: Path,
    django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    chunk = made(account)
    with django_capture_on_commit_callbacks(execute=True):
        erasure.erase_locked([account.shipments.first().pk])
    assert storefront.get(document_url(chunk)).status_code == 404
    assert not list(media.rglob("*.sealed"))


def test_operators_open_the_document_in_the_admin(
    client: Client, account: Any, courier: Any, media: Path
) -> None:
    chunk = made(account)
    url = reverse("admin:shipcrowd_couriers_manifestchunk_open_document", args=[chunk.pk])
    client.force_login(make_staff("view_manifestchunk", username="reader"))
    assert client.get(url).status_code == 403
    client.force_login(make_staff("view_manifestchunk", "view_storeddocument"))
    answer = client.get(url)
    assert b"".join(answer.streaming_content) == PDF  # type: ignore[attr-defined]
    assert AuditEntry.objects.filter(action="open_document").count() == 1
    next(media.rglob("*.sealed")).unlink()
    gone = client.get(url, follow=True)
    assert "There is no document" in gone.content.decode()
