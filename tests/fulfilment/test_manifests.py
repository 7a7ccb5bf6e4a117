"""Manifests of any size: every tracking id is in exactly one chunk."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from couriers import tasks
from couriers.contract import india
from couriers.contract.errors import CircuitOpen, NotDone, NotSupported, Rejected, Unknown
from couriers.fulfilment import manifests
from couriers.models import CourierCall, Manifest, ManifestChunk, Shipment
from tests.support.commands import run_json
from tests.support.drafts import raising
from tests.support.factories import CourierAccountFactory, ShipmentFactory
from tests.support.manifests import make_due_chunks
from tests.support.parcels import make_shipments


def retry_at_once(settings: Any, **more: Any) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"MANIFEST_BACKOFF": 0.0} | more


@pytest.mark.parametrize(
    ("count", "sizes"), [(1, [1]), (100, [100]), (101, [100, 1]), (1050, [100] * 10 + [50])]
)
def test_each_id_is_in_exactly_one_chunk_of_at_most_a_hundred(
    account: Any, able: Any, count: int, sizes: list[int]
) -> None:
    ids = make_shipments(account, count)
    manifest = make_due_chunks(manifests.create_for_shipments(account, ids).manifest)
    chunks = list(manifest.chunks.all())
    assert [len(chunk.tracking_ids) for chunk in chunks] == sizes
    listed = [tracking_id for chunk in chunks for tracking_id in chunk.tracking_ids]
    assert sorted(listed) == sorted(Shipment.objects.values_list("tracking_id", flat=True))
    called = [tracking_id for _, part in able.asked for tracking_id in part]
    assert called == listed
    assert (manifest.state, len({chunk.number for chunk in chunks})) == ("done", len(sizes))


@pytest.mark.slow
def test_ten_thousand_shipments_make_a_hundred_chunks(account: Any, able: Any) -> None:
    ids = make_shipments(account, 10_000)
    manifest = make_due_chunks(manifests.create_for_shipments(account, ids).manifest)
    assert len(able.asked) == manifest.chunks.count() == 100
    assert len({t for _, part in able.asked for t in part}) == 10_000
    assert manifests.create_for_shipments(account, ids).is_new is False


@pytest.mark.django_db(transaction=False)
@hypothesis_settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(requests=st.lists(st.lists(st.integers(0, 24), min_size=1), min_size=1, max_size=5))
def test_no_shipment_is_in_two_chunks_whatever_the_requests(
    account: Any, able: Any, requests: list[list[int]]
) -> None:
    Manifest.objects.all().delete()
    Shipment.objects.all().delete()
    able.manifest_size = 4
    try:
        ids = make_shipments(account, 25)
        for numbers in requests:
            manifests.create_for_shipments(account, [ids[number] for number in numbers])
    finally:
        able.manifest_size = 100
    listed = [t for chunk in ManifestChunk.objects.all() for t in chunk.tracking_ids]
    asked = {ids[number] for numbers in requests for number in numbers}
    assert len(listed) == len(set(listed)) == len(asked)
    assert max(len(chunk.tracking_ids) for chunk in ManifestChunk.objects.all()) <= 4


def test_a_chunk_that_fails_is_retried_alone_with_growing_pauses(
    account: Any, able: Any, settings: Any
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"MANIFEST_BACKOFF": 100.0}
    manifest = manifests.create_for_shipments(account, make_shipments(account, 250)).manifest
    first, second, third = manifest.chunks.all()
    able.on_call["create_manifest"] = raising(Unknown("read time-out"), times=3)
    delays = []
    for _ in range(3):
        delays.append(manifests.make_chunk(first.pk))
        assert manifests.make_chunk(first.pk) is None  # not due yet
        ManifestChunk.objects.filter(pk=first.pk).update(next_attempt_at=timezone.now())
    assert 75 <= delays[0] <= 100 < delays[1] <= 200 < delays[2] <= 400  # type: ignore[operator]
    assert [c.state for c in manifest.chunks.all()] == ["pending"] * 3
    for chunk in (second, third, first):
        manifests.make_chunk(chunk.pk)
    assert make_due_chunks(manifest).state == "done"
    assert [len(part) for _, part in able.asked] == [100] * 3 + [100, 50, 100]
    assert list(CourierCall.objects.order_by("id").values_list("outcome", flat=True)) == [
        "unknown", "unknown", "unknown", "ok", "ok", "ok",
    ]  # fmt: skip


def test_the_couriers_retry_after_is_respected(account: Any, able: Any) -> None:
    chunk = manifests.create_for_shipments(
        account, make_shipments(account, 1)
    ).manifest.chunks.get()
    able.on_call["create_manifest"] = raising(NotDone("429", retry_after=777))
    assert manifests.make_chunk(chunk.pk) == 777


def test_an_open_circuit_is_not_a_failure_of_the_chunk(
    account: Any, able: Any, settings: Any
) -> None:
    retry_at_once(settings, MANIFEST_FAILURES=2)
    chunk = manifests.create_for_shipments(
        account, make_shipments(account, 1)
    ).manifest.chunks.get()
    able.on_call["create_manifest"] = raising(CircuitOpen("failing"))
    for _ in range(5):
        assert manifests.make_chunk(chunk.pk) == 0
    chunk.refresh_from_db()
    assert (chunk.state, chunk.failures, chunk.attempts) == ("pending", 0, 5)


@pytest.mark.parametrize(
    ("error", "calls"), [(Rejected("no", courier_message="Cancelled"), 1), (Unknown("lost"), 3),
                         (KeyError("a fault in the plug-in"), 3)]
)  # fmt: skip
def test_a_chunk_that_is_given_up_fails_alone_and_frees_its_shipments(
    account: Any, able: Any, settings: Any, error: Exception, calls: int
) -> None:
    retry_at_once(settings, MANIFEST_FAILURES=3)
    ids = make_shipments(account, 150)
    manifest = manifests.create_for_shipments(account, ids).manifest
    bad = manifest.chunks.first()
    assert bad is not None
    able.on_call["create_manifest"] = lambda part: (
        raising(error)(part) if part == bad.tracking_ids else None
    )
    assert make_due_chunks(manifest).state == "failed"
    assert [c.state for c in manifest.chunks.all()] == ["failed", "done"]
    assert len(able.asked) == calls + 1
    able.on_call.clear()
    again = manifests.create_for_shipments(account, ids)
    assert (again.is_new, again.left_out) == (True, 50)
    assert again.manifest.chunks.get().tracking_ids == bad.tracking_ids


@pytest.mark.parametrize("error", [Rejected("a\x00b"), Unknown("a\x00b")])
def test_a_reason_that_contains_nul_is_stored_without_it(
    account: Any, able: Any, error: Exception
) -> None:
    ids = make_shipments(account, 1)
    chunk = manifests.create_for_shipments(account, ids).manifest.chunks.get()
    able.on_call["create_manifest"] = raising(error)
    manifests.make_chunk(chunk.pk)
    chunk.refresh_from_db()
    assert (chunk.reason, chunk.failures) == ("ab", 1)


def test_a_claimed_chunk_is_left_to_its_worker_until_the_lease_ends(
    account: Any, able: Any
) -> None:
    chunk = manifests.create_for_shipments(
        account, make_shipments(account, 1)
    ).manifest.chunks.get()

    def hook(_: Any) -> None:
        assert manifests.make_chunk(chunk.pk) is None
        assert not manifests.due_chunks().exists()
        raise KeyboardInterrupt  # the worker dies

    able.on_call["create_manifest"] = hook
    with pytest.raises(KeyboardInterrupt):
        manifests.make_chunk(chunk.pk)
    able.on_call.clear()
    assert manifests.make_chunk(chunk.pk) is None
    assert len(able.asked) == 1
    ManifestChunk.objects.update(lease_expires_at=timezone.now())
    tasks.sweep_manifests()
    chunk.refresh_from_db()
    assert (chunk.state, chunk.attempts, chunk.failures) == ("done", 2, 1)
    assert chunk.manifest.state == "done"


def test_a_chunk_that_kills_its_workers_is_given_up(account: Any, able: Any, settings: Any) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"MANIFEST_LEASE": 0.0, "MANIFEST_FAILURES": 3}
    manifest = manifests.create_for_shipments(account, make_shipments(account, 1)).manifest
    able.on_call["create_manifest"] = raising(KeyboardInterrupt())
    chunk = manifest.chunks.get()
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            manifests.make_chunk(chunk.pk)
    assert manifests.make_chunk(chunk.pk) is None
    manifest.refresh_from_db()
    assert (manifest.state, len(able.asked)) == ("failed", 3)


def test_a_late_failure_of_an_earlier_attempt_changes_nothing(account: Any, able: Any) -> None:
    """Two workers make the same chunk. The first one fails after the second one is done."""
    chunk = manifests.create_for_shipments(
        account, make_shipments(account, 1)
    ).manifest.chunks.get()

    def hook(_: Any) -> None:
        able.on_call.clear()
        ManifestChunk.objects.update(lease_expires_at=timezone.now())
        manifests.make_chunk(chunk.pk)
        raise Rejected("too late")

    able.on_call["create_manifest"] = hook
    manifests.make_chunk(chunk.pk)
    chunk.refresh_from_db()
    assert (chunk.state, chunk.reason, chunk.manifest.state) == ("done", "", "done")


def test_a_days_manifest_has_shipments_of_that_day_in_india_awaiting_pickup(
    account: Any, able: Any
) -> None:
    midnight = dt.datetime(2026, 11, 22, 18, 30, tzinfo=dt.UTC)
    today = make_shipments(account, 1, booked_at=midnight) + make_shipments(
        account, 1, booked_at=midnight + dt.timedelta(hours=23, minutes=59), status="not_picked"
    )
    make_shipments(account, 1, booked_at=midnight - dt.timedelta(seconds=1))
    make_shipments(account, 1, booked_at=midnight + dt.timedelta(days=1))
    for status in ("picked_up", "delivered", "cancelled"):
        make_shipments(account, 1, booked_at=midnight, status=status)
    make_shipments(account, 1, booked_at=midnight, direction="reverse")
    other = CourierAccountFactory(courier=account.courier)
    ShipmentFactory(account=other, booked_at=midnight)
    manifest = manifests.create_for_day(account, dt.date(2026, 11, 23)).manifest
    wanted = Shipment.objects.filter(pk__in=today).values_list("tracking_id", flat=True)
    assert manifest.chunks.get().tracking_ids == list(wanted.order_by("id"))


def test_a_second_manifest_of_a_day_has_only_new_shipments(account: Any, able: Any) -> None:
    day = dt.date(2026, 11, 23)
    make_shipments(account, 3)
    first = manifests.create_for_day(account, day)
    again = manifests.create_for_day(account, day)
    assert (again.manifest.pk, again.is_new, again.left_out) == (first.manifest.pk, False, 3)
    make_shipments(account, 2)
    more = manifests.create_for_day(account, day)
    assert (more.is_new, more.left_out) == (True, 3)
    assert len(more.manifest.chunks.get().tracking_ids) == 2
    whole = manifests.create_for_day(account, day, again=True)
    assert len(whole.manifest.chunks.get().tracking_ids) == 5


def test_a_courier_without_manifests_is_not_supported(account: Any, toy: Any) -> None:
    with pytest.raises(NotSupported):
        manifests.create_for_shipments(account, make_shipments(account, 1))
    assert not Manifest.objects.exists()


def test_the_command_creates_a_days_manifest_once(account: Any, able: Any) -> None:
    slug = account.company.slug
    make_shipments(account, 120, booked_at=timezone.now())
    first = run_json("create_manifest", "--company", slug)
    assert (first["state"], first["created"], first["shipments_done"]) == ("done", True, 120)
    assert [d["shipments"] for d in first["documents"]] == [100, 20]
    again = run_json("create_manifest", "--company", slug, "--date", india.today().isoformat())
    assert (again["manifest"], again["created"]) == (first["manifest"], False)
    assert again["already_in_manifest"] == 120
    assert again["documents"] == first["documents"]
    assert len(able.asked) == 2
    nothing = run_json("create_manifest", "--company", slug, "--date", "2020-01-01")
    assert (nothing["manifest"], nothing["shipments"]) == (None, 0)


def test_a_second_run_of_the_command_completes_the_first_ones_manifest(
    account: Any, able: Any, settings: Any, tmp_path: Any
) -> None:
    path = tmp_path / "ids"
    path.write_text("\n".join(make_shipments(account, 150)) + "\n")
    flags = ("--company", account.company.slug, "--courier", "toy", "--shipments", str(path))
    settings.SHIPCROWD = settings.SHIPCROWD | {"MANIFEST_BACKOFF": 0.3}
    able.on_call["create_manifest"] = raising(Unknown("lost"))
    run_json("create_manifest", *flags, "--timeout", "0.05", code=3)
    able.on_call.clear()
    again = run_json("create_manifest", *flags)
    assert (again["state"], again["created"], again["shipments_done"]) == ("done", False, 150)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--date", "soon"], "--date must be like"),
        (["--shipments", "/nowhere"], "cannot be read"),
        (["--courier", "dhl"], r"known: .*ekart.*toy"),
        (["--courier", "ekart"], "no account"),
    ],
)
def test_an_invalid_option_is_one_line_and_exit_code_2(
    account: Any, able: Any, flags: list[str], words: str
) -> None:
    with pytest.raises(CommandError, match=words) as caught:
        call_command("create_manifest", "--company", account.company.slug, *flags)
    assert caught.value.returncode == 2
