"""Documents that come with a booking: kept at once, and never a reason to lose the booking."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from couriers.booking.protocol import book
from couriers.contract.documents import BookingDocument, Document, DocumentKind, DocumentLink
from couriers.contract.registry import CourierFactory
from couriers.contract.types import Booking
from couriers.documents import pending
from couriers.documents.storing import read_stored
from couriers.models import Shipment, StoredDocument
from couriers.tasks import fetch_documents
from tests.support.api import post_shipment
from tests.support.documents import (
    PDF,
    PNG,
    SECRET,
    GenerousAdapter,
    ObjectStore,
    bringing,
    generous,
    pdf,
)
from tests.support.drafts import DRAFT

pytestmark = pytest.mark.django_db(transaction=True)  # documents are kept after the commit


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return tmp_path / "media"


@pytest.fixture
def store() -> Iterator[ObjectStore]:
    with ObjectStore() as store:
        yield store


@pytest.fixture
def courier(account: Any, store: ObjectStore) -> Iterator[type[GenerousAdapter]]:
    with generous(hosts=(store.host,)) as adapter:
        yield adapter


def document() -> StoredDocument:
    return StoredDocument.objects.get()


def make_due() -> None:
    """Have the time of the next attempt, and the lease of a killed process, be over."""
    StoredDocument.objects.update(next_attempt_at="2026-01-01T00:00:00Z")
    StoredDocument.objects.filter(lease_expires_at__isnull=False).update(
        lease_expires_at="2026-01-01T00:00:00Z"
    )


def test_a_link_is_fetched_at_once_without_the_accounts_login_and_forgotten(
    account: Any, courier: Any, store: ObjectStore
) -> None:
    store.files["/label"] = ("application/octet-stream", PDF)
    courier.brings = bringing(store.label("/label"))
    shipment = book(account.company, DRAFT).shipment
    kept = document()
    assert (kept.shipment_id, kept.kind, kept.tracking_id) == (shipment.pk, "label", "GEN-A-1")
    assert (kept.state, kept.link, read_stored(kept)) == ("stored", None, PDF)
    ((path, headers),) = store.requests
    assert (path, {"authorization", "cookie"} & set(headers)) == ("/label", set())


def test_bytes_are_stored_directly(account: Any, courier: Any, store: ObjectStore) -> None:
    courier.brings = bringing(BookingDocument(DocumentKind.LABEL, pdf()))
    book(account.company, DRAFT)
    assert (document().state, read_stored(document()), store.requests) == ("stored", PDF, [])


def test_each_kind_is_kept_once(account: Any, courier: Any, store: ObjectStore) -> None:
    proof = BookingDocument(
        DocumentKind.PROOF_OF_DELIVERY, Document(PNG, "Image/PNG; charset=x", "p.png")
    )
    label = BookingDocument(DocumentKind.LABEL, pdf())
    courier.brings = bringing(label, proof, label)
    book(account.company, DRAFT)
    kept = StoredDocument.objects.order_by("kind").values_list("kind", "content_type", "state")
    assert list(kept) == [
        ("label", "application/pdf", "stored"), ("proof_of_delivery", "image/png", "stored"),
    ]  # fmt: skip


def test_a_booking_without_documents_makes_no_further_statement(account: Any, courier: Any) -> None:
    with CaptureQueriesContext(connection) as captured:
        book(account.company, DRAFT)
    statements = [q["sql"] for q in captured if q["sql"] not in ("BEGIN", "COMMIT")]
    assert len(statements) <= 9  # and one for the API key
    assert not any(StoredDocument._meta.db_table in sql for sql in statements)


def lies(store: ObjectStore) -> dict[str, Any]:
    store.files |= {
        "/html": ("application/pdf", b"<html>Access denied</html>"),
        "/cut": ("application/pdf", b"%PDF-1.4 cut off"),
        "/endless": ("application/pdf", b"%PDF-" + b"x" * 300_000 + b"%%EOF"),
    }
    link = DocumentLink
    return {
        "private host": link(f"http://10.0.0.1/a?{SECRET}", "a.pdf"),
        "other host": link(f"https://elsewhere.example/a?{SECRET}", "a.pdf"),
        "no URL": link(f"//[?{SECRET}", "a.pdf"),
        "html": store.link("/html"),
        "cut off": store.link("/cut"),
        "endless": store.link("/endless"),
        "gone": store.link("/nothing"),
        "another type": store.link("/cut", "text/html"),
        "bytes that are no PDF": pdf(b"<html>"),
        "bytes of another type": Document(PDF, "text/html", "a.pdf"),
        "neither": "https://elsewhere.example/label.pdf",
    }


LIES = tuple(lies(ObjectStore()))


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_leaves_the_shipment_booked_and_the_document_failed_with_a_reason(
    storefront: Client, order: Any, courier: Any, store: ObjectStore, lie: str, settings: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    settings.SHIPCROWD = settings.SHIPCROWD | {"DOCUMENT_FAILURES": 1, "LABEL_MAX_BYTES": 200_000}
    courier.brings = bringing(BookingDocument(DocumentKind.LABEL, lies(store)[lie]))
    answer = post_shipment(storefront, order)
    assert (answer.status_code, answer.json()["status"]) == (201, "booked")
    kept = document()
    assert (kept.state, bool(kept.reason), kept.file.name) == ("failed", True, "")
    told = caplog.text + kept.reason + answer.content.decode()
    assert SECRET not in told
    assert "elsewhere" not in told


@pytest.mark.parametrize("documents", ["abc", ["label"], [None, pdf()], 7])
def test_what_is_no_document_is_no_reason_not_to_book(
    account: Any, courier: Any, documents: Any
) -> None:
    courier.brings = staticmethod(lambda tracking_id: Booking(tracking_id, documents=documents))
    assert book(account.company, DRAFT).status_code == 201
    assert not StoredDocument.objects.exists()


def test_what_fails_at_first_is_fetched_by_the_task_when_it_is_due(
    account: Any, courier: Any, store: ObjectStore
) -> None:
    store.files["/label"] = ("application/pdf", PDF)
    store.broken["/label"] = 2
    courier.brings = bringing(store.label("/label"))
    book(account.company, DRAFT)
    assert (document().state, document().failures) == ("pending", 1)
    assert fetch_documents() == 0  # not due yet
    for failures, state in ((2, "pending"), (0, "stored")):
        make_due()
        assert fetch_documents() == 1
        assert document().state == state
        if failures:
            assert document().failures == failures
    assert (read_stored(document()), document().reason) == (PDF, "")
    assert fetch_documents() == 0


def test_a_document_that_failed_waits_no_longer_than_a_pause_when_the_clock_was_set_back(
    account: Any, courier: Any, store: ObjectStore
) -> None:
    store.files["/label"] = ("application/pdf", PDF)
    store.broken["/label"] = 1
    courier.brings = bringing(store.label("/label"))
    book(account.company, DRAFT)
    StoredDocument.objects.update(next_attempt_at="2126-01-01T00:00:00Z")
    assert fetch_documents() == 1
    assert document().state == "stored"


def test_a_document_is_given_up_after_its_failures(
    account: Any, courier: Any, store: ObjectStore, settings: Any
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"DOCUMENT_FAILURES": 3}
    courier.brings = bringing(store.label("/nothing"))
    book(account.company, DRAFT)
    states = [document().state]
    while fetch_documents() or len(states) < 4:
        make_due()
        states.append(document().state)
    assert (states[-1], document().failures, len(store.requests)) == ("failed", 3, 3)
    assert "not there" in document().reason


def test_a_process_that_dies_before_the_file_is_stored_loses_nothing(
    account: Any, courier: Any, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.files["/label"] = ("application/pdf", PDF)
    courier.brings = bringing(store.label("/label"))

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pending, "as_document", die)
        with pytest.raises(KeyboardInterrupt):
            book(account.company, DRAFT)
    assert (Shipment.objects.get().status, document().state) == ("booked", "pending")
    assert fetch_documents() == 0  # the dead process still holds the lease
    make_due()
    assert fetch_documents() == 1
    assert (document().state, document().failures) == ("stored", 1)


def test_a_slow_link_delays_the_answer_by_two_seconds_at_most(
    account: Any, courier: Any, store: ObjectStore
) -> None:
    store.files["/label"] = ("application/pdf", PDF)
    store.slow["/label"] = 10
    courier.brings = bringing(store.label("/label"))
    started = time.monotonic()
    assert book(account.company, DRAFT).status_code == 201
    assert time.monotonic() - started < pending.QUICK_SECONDS + 1.5
    assert (document().state, document().failures) == ("pending", 1)
    store.slow.clear()
    make_due()
    fetch_documents()
    assert document().state == "stored"


def test_a_full_storage_loses_no_link_and_fails_no_booking(
    account: Any, courier: Any, store: ObjectStore, media: Path
) -> None:
    media.write_text("not a folder")
    store.files["/label"] = ("application/pdf", PDF)
    courier.brings = bringing(store.label("/label"))
    assert book(account.company, DRAFT).status_code == 201
    assert (document().state, "storage" in document().reason) == ("pending", True)
    media.unlink()
    make_due()
    fetch_documents()
    assert read_stored(document()) == PDF


def test_a_document_of_a_courier_that_was_taken_out_holds_up_no_other(
    account: Any, courier: Any, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.files["/label"] = ("application/pdf", PDF)
    store.broken["/label"] = 1
    courier.brings = bringing(store.label("/label"))
    book(account.company, DRAFT)
    make_due()
    CourierFactory.unregister("toy")
    assert fetch_documents() == 1
    assert (document().state, "unknown courier" in document().reason) == ("pending", True)
