"""Whether a document is what it says it is. Couriers have sent errors instead of labels."""

from __future__ import annotations

import dataclasses

from couriers.conf import tunables
from couriers.contract.documents import Document, DocumentKind
from couriers.contract.errors import Unknown

PDF, JPEG, PNG = "application/pdf", "image/jpeg", "image/png"
# The ending of a file's name by its content type.
ENDINGS = {PDF: "pdf", JPEG: "jpg", PNG: "png"}
MANIFEST = "manifest"  # the kind of a document that is of many shipments
# The content types that a document of a kind may have.
CONTENT_TYPES: dict[str, tuple[str, ...]] = {
    MANIFEST: (PDF,),
    DocumentKind.LABEL: (PDF,),
    DocumentKind.PROOF_OF_DELIVERY: (PDF, JPEG, PNG),
}
_TRAILER_BYTES = 2048  # the last bytes of a file, which contain its end
# How a complete file begins, and what is among its last bytes.
_SIGNATURES = {
    PDF: (b"%PDF-", b"%%EOF"),
    JPEG: (b"\xff\xd8\xff", b"\xff\xd9"),
    PNG: (b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"),
}


def checked_document(kind: str, document: Document, courier: str, operation: str) -> Document:
    """Return the document with its content type in lower case, without parameters.

    Raises Unknown unless it is a complete file of the type that it says, the type is one of the
    kind's, and the file is at most LABEL_MAX_BYTES large.
    """
    allowed = CONTENT_TYPES[kind]
    content_type = document.content_type.partition(";")[0].strip().lower()
    max_bytes = tunables().LABEL_MAX_BYTES
    problem = ""
    if content_type not in allowed:
        problem = f"the document is not of a type that is stored ({', '.join(allowed)})"
    elif not _is_complete(document.content, content_type):
        problem = f"the answer is not a complete {ENDINGS[content_type].upper()}"
    elif len(document.content) > max_bytes:
        problem = f"the document is larger than {max_bytes} bytes"
    if problem:
        raise Unknown(problem, courier=courier, operation=operation)
    return dataclasses.replace(document, content_type=content_type)


def _is_complete(content: bytes, content_type: str) -> bool:
    start, end = _SIGNATURES[content_type]
    return content.startswith(start) and end in content[-_TRAILER_BYTES:]
