"""Making manifests without a worker."""

from __future__ import annotations

from couriers.fulfilment import manifests
from couriers.models import Manifest


def make_due_chunks(manifest: Manifest) -> Manifest:
    """Make the due chunks as workers do, without waiting for chunks that are put off."""
    while chunk := manifests.due_chunks(manifest.pk).first():
        manifests.make_chunk(chunk.pk)
    manifest.refresh_from_db()
    return manifest
