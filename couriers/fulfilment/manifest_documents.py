"""The documents of manifests: fetched at once where they are links, checked, stored encrypted.

A link may be signed and may expire, so it is shown to nobody. It is kept, encrypted, until its
document is stored: then the courier need not make the manifest again for a failed download.
"""

from __future__ import annotations

from collections.abc import Iterator

from couriers.contract.adapter import Capability
from couriers.contract.checked_calls import call_adapter
from couriers.contract.documents import Document, DocumentLink, ManifestDocument
from couriers.contract.errors import NotFound, Unknown
from couriers.contract.logs import get_logger
from couriers.contract.registry import CourierFactory
from couriers.documents.checking import MANIFEST
from couriers.documents.fetching import as_document
from couriers.documents.sealed_files import SealedFile, delete_sealed, read_sealed, save_sealed
from couriers.documents.storing import NOT_STORED
from couriers.models import ManifestChunk
from couriers.models.call_audit import audited_call
from couriers.models.document import document_storage
from couriers.models.fields import readable_or

log = get_logger(__name__)

OPERATION = "manifest_document"  # in errors
FOLDER = "manifests"


class LinkGone(Unknown):
    """The link of a manifest leads to nothing, or no longer: the manifest has to be made again."""


def make(chunk: ManifestChunk) -> ManifestDocument:
    """Have the courier make the manifest of a chunk. Raises its errors."""
    account = chunk.manifest.account
    with audited_call(account, Capability.CREATE_MANIFEST.value):
        adapter = CourierFactory.get_adapter(account)
        ids = list(chunk.tracking_ids)
        made: ManifestDocument = call_adapter(adapter, Capability.CREATE_MANIFEST, ids)
    return made


def kept_link(chunk: ManifestChunk) -> DocumentLink | None:
    """Return the link of an earlier attempt whose document could not be stored, or None."""
    url = readable_or(chunk, "link", None)
    return DocumentLink(url, "manifest.pdf") if url else None


def store(chunk: ManifestChunk, answer: Document | DocumentLink) -> SealedFile:
    """Fetch the document of a chunk where it is a link, and store it.

    Raises LinkGone, Unknown where it is no complete PDF or the storage did not take it, and the
    other errors of fetching a link.
    """
    account = chunk.manifest.account
    try:
        document = as_document(account, MANIFEST, answer, OPERATION)
    except NotFound as error:
        raise LinkGone(error.message, courier=account.courier_id, operation=OPERATION) from error
    try:
        return save_sealed(
            document_storage(), FOLDER, "pdf", lambda stream: stream.write(document.content)
        )
    except Exception as error:
        # A storage may raise anything when it is full.
        NOT_STORED.inc()
        log.error("document_not_stored", kind=MANIFEST, error=type(error).__name__)
        raise Unknown(
            "the storage of documents did not take it",
            courier=account.courier_id,
            operation=OPERATION,
        ) from error


def discard(file: SealedFile) -> None:
    """Delete a file that no row names."""
    delete_sealed(document_storage(), file.name)


def pieces_of(chunk: ManifestChunk) -> Iterator[bytes]:
    """Yield the PDF of a chunk that has a file. Raises what `read_sealed` raises."""
    return read_sealed(document_storage(), str(chunk.file.name), chunk.file_key)
