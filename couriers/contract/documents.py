"""Labels, manifests and proofs of delivery: as bytes, or as a link that may expire."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import models

from couriers.contract.errors import Unknown


class DocumentKind(models.TextChoices):
    """What a document of a shipment is."""

    LABEL = "label", "Label"
    PROOF_OF_DELIVERY = "proof_of_delivery", "Proof of delivery"


@dataclass(frozen=True, slots=True)
class Document:
    """A fetched label, manifest or proof of delivery."""

    content: bytes
    content_type: str
    filename: str


@dataclass(frozen=True, slots=True)
class DocumentLink:
    """A document that the courier offers under a URL, which may expire.

    The platform fetches it at once, without the account's login, from the adapter's
    `document_hosts` alone, and checks that it is of one of `content_types`.
    """

    url: str
    filename: str
    content_types: tuple[str, ...] = ("application/pdf",)


@dataclass(frozen=True, slots=True)
class BookingDocument:
    """A document that came with a booking."""

    kind: DocumentKind
    document: Document | DocumentLink


@dataclass(frozen=True, slots=True)
class ManifestDocument:
    """A manifest that the courier made for one chunk of tracking ids."""

    number: str
    created_at: dt.datetime
    url: str


def merge_pdfs(parts: Sequence[bytes], *, courier: str, operation: str) -> bytes:
    """Merge PDFs into one, in their order. Raises Unknown for a part that is broken."""
    if len(parts) == 1:
        return parts[0]
    # Imported here because pypdf takes a twentieth of a process' start-up time, and few processes
    # ever merge PDFs.
    from pypdf import PdfWriter

    writer = PdfWriter()
    try:
        for part in parts:
            writer.append(io.BytesIO(part))
    except Exception:  # noqa: BLE001 - pypdf raises many kinds of errors for a broken PDF
        raise Unknown("a part is not a whole PDF", courier=courier, operation=operation) from None
    merged = io.BytesIO()
    writer.write(merged)
    return merged.getvalue()
