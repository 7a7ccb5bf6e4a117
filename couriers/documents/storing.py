"""The storage of documents: Django's, where each file is encrypted with a key of its own.

A file is written before its row says that it is stored, so nothing half-written is ever served.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.db import transaction
from django.utils import timezone
from prometheus_client import Counter

from couriers.contract.documents import Document, DocumentKind
from couriers.contract.logs import get_logger
from couriers.documents.checking import ENDINGS
from couriers.models import Shipment, StoredDocument
from couriers.models.document import DocumentState

log = get_logger(__name__)

NOT_STORED = Counter(
    "shipcrowd_labels_not_stored",
    "Labels and other documents that the storage of documents did not take",
)
_FOLDERS: dict[str, str] = {
    DocumentKind.LABEL: "labels",
    DocumentKind.PROOF_OF_DELIVERY: "proofs",
}


def find_stored(shipment: Shipment, kind: str) -> Document | None:
    """Return the document for the shipment's current tracking id, or None."""
    document = StoredDocument.objects.filter(
        shipment=shipment,
        kind=kind,
        tracking_id=shipment.tracking_id,
        state=DocumentState.STORED,
    ).first()
    content = read_stored(document) if document else None
    if document is None or content is None:
        return None
    name = file_name(document.kind, document.tracking_id, document.content_type)
    return Document(content, document.content_type, name)


def read_stored(document: StoredDocument) -> bytes | None:
    """Return the content of the file, or None where the storage or FERNET_KEYS cannot give it."""
    if not document.file:
        return None
    try:
        if not document.file.storage.exists(str(document.file.name)):
            return None
        with document.file.open("rb") as file:
            return document.unseal(file.read())
    except FileNotFoundError:  # deleted since
        return None
    except ImproperlyConfigured:
        raise
    except Exception as error:  # noqa: BLE001 - a storage may raise anything while it is away
        log.error("document_not_read", document=document.pk, error=type(error).__name__)
        return None


def file_name(kind: str, tracking_id: str, content_type: str) -> str:
    """Return the name under which a browser saves the document."""
    return f"{kind.replace('_', '-')}-{tracking_id}.{ENDINGS[content_type]}"


def store(shipment: Shipment, kind: str, tracking_id: str, document: Document) -> bool:
    """Store a checked document encrypted; return whether the storage took it.

    The row may be there already. Nothing is stored of a shipment that was erased meanwhile: then
    nothing is left to do, and the result is True.
    """
    row = StoredDocument(
        shipment=shipment, kind=kind, tracking_id=tracking_id, content_type=document.content_type
    )
    storage = row.file.storage
    # A tracking id may not be a valid file name: its hash is. The last part makes the name unique,
    # so that a file that could not be written whole is no other's.
    digest = hashlib.sha256(tracking_id.encode()).hexdigest()[:16]
    name = f"{shipment.pk}-{digest}-{secrets.token_hex(4)}.{ENDINGS[document.content_type]}.sealed"
    wanted = f"{_FOLDERS[kind]}/{shipment.pk[-2:]}/{name}"
    try:
        name = storage.save(wanted, ContentFile(row.seal(document.content)))
    except ImproperlyConfigured:
        raise
    except Exception as error:  # noqa: BLE001 - a storage may raise anything when it is full
        NOT_STORED.inc()
        log.error("document_not_stored", shipment=shipment.pk, error=type(error).__name__)
        _delete_file(storage, wanted)
        return False
    try:
        needless = _record(row, name)
    except BaseException:
        _delete_file(storage, name)
        raise
    if needless:
        _delete_file(storage, needless)
    return True


def _record(document: StoredDocument, name: str) -> str | None:
    """Store the row of a file that is complete; return the name of a file that nobody needs now.

    The file of a row that is there already is examined before the transaction.
    """
    stored: dict[str, Any] = {
        "state": DocumentState.STORED,
        "file": name,
        "file_key": document.file_key,
        "content_type": document.content_type,
        "stored_at": timezone.now(),
        "link": None,
        "reason": "",
        "lease_expires_at": None,
    }
    examined = StoredDocument.objects.filter(
        shipment_id=document.shipment_id, kind=document.kind, tracking_id=document.tracking_id
    ).first()
    is_good = examined is not None and (
        not examined.has_readable_key() or read_stored(examined) is not None
    )
    with transaction.atomic():
        # An erasure locks the shipment, so it comes before this or deletes the row after it.
        locked = Shipment.objects.select_for_update(no_key=True).filter(pk=document.shipment_id)
        if not list(locked.filter(erased_at__isnull=True).values_list("pk", flat=True)):
            return name
        kept, is_new = StoredDocument.objects.get_or_create(
            shipment_id=document.shipment_id,
            kind=document.kind,
            tracking_id=document.tracking_id,
            defaults=stored,
        )
        if is_new:
            return None
        is_examined = examined is not None and kept.file.name == examined.file.name
        if kept.state == DocumentState.STORED and (is_good or not is_examined):
            # Another process has stored the document first, or has the keys to read it.
            return name
        # It was pending or had failed, or the file is lost, damaged, or plain.
        StoredDocument.objects.filter(pk=kept.pk).update(**stored)
    return str(kept.file.name) if kept.file else None


def _delete_file(storage: Storage, name: str) -> None:
    """Delete a file that is not needed, or what is there of it."""
    try:
        storage.delete(name)
    except Exception as error:  # noqa: BLE001 - a storage may raise anything while it is away
        log.error("document_file_left", name=name, error=type(error).__name__)
