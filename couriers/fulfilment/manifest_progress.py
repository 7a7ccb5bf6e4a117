"""How far a manifest is: what is shown of its chunks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from couriers.models import ManifestChunk
from couriers.models.addresses import path_of
from couriers.models.manifest import ManifestState


@dataclass(frozen=True, slots=True)
class ManifestProgress:
    """The progress of a manifest, counted in chunks and in shipments."""

    chunks: int
    chunks_done: int
    chunks_failed: int
    shipments: int
    shipments_done: int


def progress_of(chunks: Sequence[ManifestChunk]) -> ManifestProgress:
    """The progress of the manifest with these chunks."""
    done = [chunk for chunk in chunks if chunk.state == ManifestState.DONE]
    return ManifestProgress(
        chunks=len(chunks),
        chunks_done=len(done),
        chunks_failed=sum(chunk.state == ManifestState.FAILED for chunk in chunks),
        shipments=sum(len(chunk.tracking_ids) for chunk in chunks),
        shipments_done=sum(len(chunk.tracking_ids) for chunk in done),
    )


def documents_and_failures(chunks: Sequence[ManifestChunk]) -> dict[str, list[dict[str, Any]]]:
    """The `documents` and `failures` of the manifest with these chunks, as JSON.

    The `url` of a document is a path of ours, never the courier's link.
    """
    return {
        "documents": [
            {
                "number": chunk.number,
                "url": path_of("couriers_api:manifest-document", chunk.manifest_id, chunk.position),
                "shipments": len(chunk.tracking_ids),
            }
            for chunk in chunks
            if chunk.state == ManifestState.DONE
        ],
        "failures": [
            {"chunk": chunk.position, "reason": chunk.reason}
            for chunk in chunks
            if chunk.state == ManifestState.FAILED
        ],
    }
