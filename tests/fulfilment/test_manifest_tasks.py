"""The tasks of manifests: a few for a large one, and a sweep where a worker died."""

from __future__ import annotations

from typing import Any

import pytest

from couriers import tasks
from couriers.contract.errors import NotSent
from couriers.fulfilment import manifests
from tests.support.drafts import raising
from tests.support.parcels import make_shipments


def test_the_sweep_finishes_a_manifest_whose_last_worker_died(
    account: Any, able: Any, monkeypatch: Any
) -> None:
    manifest = manifests.create_for_shipments(account, make_shipments(account, 1)).manifest
    chunk = manifest.chunks.get()

    def killed(_: str) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(manifests, "finish", killed)
        with pytest.raises(KeyboardInterrupt):
            manifests.make_chunk(chunk.pk)
    manifests.make_chunk(chunk.pk)  # its task is delivered again
    manifest.refresh_from_db()
    assert manifest.state == "pending"
    tasks.sweep_manifests()
    manifest.refresh_from_db()
    assert manifest.state == "done"
    assert len(able.asked) == 1


def test_a_few_tasks_make_a_large_manifest_and_leave_room_for_others(
    account: Any,
    able: Any,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    queue: list[Any] = []
    monkeypatch.setattr(
        tasks.make_manifest, "apply_async", lambda args, **options: queue.append((args, options))
    )
    manifest = manifests.create_for_shipments(account, make_shipments(account, 1050)).manifest
    with django_capture_on_commit_callbacks(execute=True):
        tasks.start_manifest(manifest)
    longest = 0
    while queue:
        longest = max(longest, len(queue))
        arguments, _ = queue.pop(0)
        tasks.make_manifest(*arguments)
    manifest.refresh_from_db()
    assert (manifest.state, longest, len(able.asked)) == ("done", tasks.MANIFEST_TASKS, 11)


def test_a_manifest_whose_chunks_are_put_off_is_taken_up_when_the_first_is_due(
    account: Any, able: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(
        tasks.make_manifest, "apply_async", lambda args, **options: sent.append(options)
    )
    able.on_call["create_manifest"] = raising(NotSent("refused", retry_after=30))
    manifest = manifests.create_for_shipments(account, make_shipments(account, 2)).manifest
    tasks.make_manifest(manifest.pk)  # puts the chunk off, and is sent again
    tasks.make_manifest(manifest.pk)
    assert "countdown" not in sent[0]
    assert 25 < sent[1]["countdown"] <= 30
    assert len(sent) == 2
