"""Labels, manifests and proofs of delivery: as bytes, or as a link that may expire."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import models

PDF_OR_PICTURE = ("application/pdf", "image/jpeg", "image/png")


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
    """A manifest that the courier made for one chunk of tracking ids. `document` is a PDF."""

    number: str
    created_at: dt.datetime
    document: Document | DocumentLink
