"""Merge PDFs that came in parts. Pure."""

from __future__ import annotations

import io
from collections.abc import Sequence

from couriers.contract.documents import Document
from couriers.contract.errors import Unknown

PDF = "application/pdf"


def merge_labels(parts: Sequence[bytes]) -> Document:
    """Merge PDFs of labels into one, in their order. Raises Unknown for a part that is broken."""
    if len(parts) == 1:
        return Document(parts[0], PDF, "labels.pdf")
    # Imported here because pypdf takes a twentieth of a process' start-up time, and few processes
    # ever merge labels.
    from pypdf import PdfWriter

    writer = PdfWriter()
    try:
        for part in parts:
            writer.append(io.BytesIO(part))
    except Exception:  # noqa: BLE001 - pypdf raises many kinds of errors for a broken PDF
        raise Unknown(
            "a part of the labels is not a whole PDF", courier="ekart", operation="label"
        ) from None
    merged = io.BytesIO()
    writer.write(merged)
    return Document(merged.getvalue(), PDF, "labels.pdf")
