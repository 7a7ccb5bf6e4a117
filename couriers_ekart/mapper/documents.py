"""PDFs that came in parts, put together in the order asked."""

from __future__ import annotations

import io
from collections.abc import Sequence

from couriers.contract.errors import Unknown
from couriers.contract.types import Document

PDF = "application/pdf"


def merged(parts: Sequence[bytes]) -> Document:
    """One PDF of several. Raises Unknown for a part that cannot be read."""
    if len(parts) == 1:
        return Document(parts[0], PDF, "labels.pdf")
    # With what it draws in, a twentieth of the time in which a process starts; few ever merge.
    from pypdf import PdfWriter

    writer = PdfWriter()
    try:
        for part in parts:
            writer.append(io.BytesIO(part))
    except Exception as error:  # noqa: BLE001 - pypdf raises whatever it stumbles over
        raise Unknown(
            f"a part of the labels is not a whole PDF ({type(error).__name__})",
            courier="ekart",
            operation="label",
        ) from None
    whole = io.BytesIO()
    writer.write(whole)
    return Document(whole.getvalue(), PDF, "labels.pdf")
