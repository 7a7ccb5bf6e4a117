"""Answers with files that are stored encrypted in pieces: they are sent as they are decrypted."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from cryptography.fernet import InvalidToken
from django.http import Http404, StreamingHttpResponse

from couriers.contract.platform_errors import UnreadableValue
from couriers.documents.checking import PDF
from couriers.models import LabelJob, ManifestChunk


def sealed_pdf(
    pieces: Iterator[bytes], row: LabelJob | ManifestChunk, name: str
) -> StreamingHttpResponse:
    """Return the answer with a PDF, which a browser shows as what it is and nothing else.

    The first piece is decrypted before the answer begins. Raises UnreadableValue where no key
    opens it, and Http404 where the storage no longer has the file.
    """
    try:
        first = next(pieces)
    except InvalidToken:
        raise UnreadableValue(str(row._meta.model_name), "file", row.pk) from None
    except FileNotFoundError:
        raise Http404 from None
    response = StreamingHttpResponse(chain([first], pieces), content_type=PDF)
    response["Content-Length"] = str(row.size)
    response["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    response["Cache-Control"] = "private, max-age=300"
    response["X-Content-Type-Options"] = "nosniff"
    return response
