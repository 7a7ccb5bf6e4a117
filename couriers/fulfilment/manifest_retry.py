"""Has failed chunks of manifests made once more."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models.functions import Now

from couriers.models import Manifest, ManifestChunk
from couriers.models.manifest import ManifestState


def retry_chunk(chunk_id: int) -> bool:
    """Make a failed chunk due again, and its manifest pending; return whether that was done.

    It is not where the chunk has not failed, or a shipment of it is in another manifest since.
    """
    with transaction.atomic():
        manifest_id = ManifestChunk.objects.values_list("manifest_id", flat=True).get(pk=chunk_id)
        Manifest.objects.select_for_update().get(pk=manifest_id)
        chunk = ManifestChunk.objects.select_for_update().get(pk=chunk_id)
        if chunk.state != ManifestState.FAILED or _is_elsewhere(chunk, chunk.tracking_ids):
            return False
        ManifestChunk.objects.filter(pk=chunk.pk).update(
            state=ManifestState.PENDING,
            failures=0,
            reason="",
            next_attempt_at=Now(),
            lease_expires_at=None,
            finished_at=None,
        )
        Manifest.objects.filter(pk=manifest_id).update(
            state=ManifestState.PENDING, finished_at=None
        )
    return True


def _is_elsewhere(chunk: ManifestChunk, tracking_ids: Sequence[str]) -> bool:
    others = ManifestChunk.objects.filter(
        manifest__account=chunk.manifest.account_id, tracking_ids__overlap=list(tracking_ids)
    )
    return others.exclude(pk=chunk.pk).exclude(state=ManifestState.FAILED).exists()
