"""A manifest of 10,000 shipments, whose worker is killed half-way and continued by another one."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Sequence

from django.db import connections
from django.utils import timezone

from benchmarks.accounts import create_account
from benchmarks.figures import Figure, at_most
from couriers.contract.documents import ManifestDocument
from couriers.contract.registry import CourierFactory
from couriers.fulfilment import manifests
from couriers.models import Courier, Manifest, ManifestChunk
from couriers.models.manifest import ManifestState
from tests.support.parcels import make_parcels
from tests.support.toy import AbleToyAdapter

SHIPMENTS = 10_000
CHUNKS = 100
KILLED_AFTER = CHUNKS // 2  # chunks
ANSWER = 0.02  # seconds that the courier takes


class _SlowToy(AbleToyAdapter):
    """The toy courier, with answers that take a while, so that the kill meets a call."""

    def create_manifest(self, tracking_ids: Sequence[str]) -> ManifestDocument:
        time.sleep(ANSWER)
        return super().create_manifest(tracking_ids)


def run() -> list[Figure]:
    """Make the manifest in two processes, one after the other."""
    CourierFactory.register(_SlowToy)
    account = create_account("http://127.0.0.1:9")
    account.courier, _ = Courier.objects.get_or_create(code="toy", defaults={"name": "Toy"})
    account.save()
    ids = make_parcels(account, SHIPMENTS)
    shipments = account.shipments.filter(tracking_id__in=ids).values_list("pk", flat=True)
    manifest = manifests.create_for_shipments(account, list(shipments)).manifest
    started = time.perf_counter()
    _make_until_killed(manifest)
    # As if the lease of the chunk that was under way had run out.
    chunks = ManifestChunk.objects.filter(manifest=manifest)
    chunks.exclude(lease_expires_at=None).update(lease_expires_at=timezone.now())
    _make(manifest)
    seconds = time.perf_counter() - started
    found = list(chunks.values_list("tracking_ids", "state"))
    listed = Counter(tracking_id for chunk, _ in found for tracking_id in chunk)
    wrong = len(set(ids) ^ set(listed)) + sum(count > 1 for count in listed.values())
    done = sum(state == ManifestState.DONE for _, state in found)
    return [
        Figure(
            f"manifest of {SHIPMENTS:,}: chunks made after a worker was killed",
            f"{done} of {len(found)} in {seconds:.0f} s",
            str(CHUNKS),
            done == len(found) == CHUNKS,
        ),
        at_most("— ids in no chunk, or in two", wrong, 0, "", 0),
    ]


def _make_until_killed(manifest: Manifest) -> None:
    """Make chunks in a process, and kill it when half of them are made."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        try:
            _make(manifest)
        finally:
            os._exit(0)
    made = ManifestChunk.objects.filter(manifest=manifest, state=ManifestState.DONE)
    while made.count() < KILLED_AFTER and os.waitpid(child, os.WNOHANG) == (0, 0):
        time.sleep(0.01)
    if made.count() < KILLED_AFTER:
        raise RuntimeError("the worker ended before it was killed")
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def _make(manifest: Manifest) -> None:
    while chunk := manifests.due_chunks(manifest.pk).first():
        manifests.make_chunk(chunk.pk)
