"""Polling couriers that are asked about many shipments by one call."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import pytest
from django.db import connection, transaction
from django.utils import timezone

from couriers.contract.adapter import Capability
from couriers.contract.errors import (
    CircuitOpen,
    CourierError,
    NotFound,
    RateLimited,
    Rejected,
    Unknown,
)
from couriers.contract.registry import CourierFactory
from couriers.contract.types import Limit, Scan, Tracking
from couriers.models import Shipment
from couriers.tracking import poll_feed, poller, polling
from couriers.tracking.poller import batch_size
from couriers.tracking.polling import Polled
from tests.support.parcels import make_shipments
from tests.support.toy import MAPPER, AbleToyAdapter, ToyReceiver
from tests.support.tracked_over_http import (
    BatchHttpAdapter,
    SingleHttpAdapter,
    courier_over_http,
    measured,
)

pytestmark = pytest.mark.django_db(transaction=True)

TWO_DAYS_AGO = timezone.now() - dt.timedelta(days=2)
Answers = Mapping[str, Any]


class BatchToyAdapter(AbleToyAdapter):
    """Tracks at most five shipments by a call. `lacks` are ids that it does not know."""

    capabilities = AbleToyAdapter.capabilities | {Capability.TRACK_SHIPMENTS}
    track_size = 5
    lacks: ClassVar[set[str]] = set()
    on_batch: ClassVar[Callable[[Sequence[str]], Answers | None] | None] = None
    batches: ClassVar[list[list[str]]] = []

    def track_shipments(self, tracking_ids: Sequence[str]) -> Mapping[str, Tracking]:
        assert 1 <= len(tracking_ids) <= self.track_size
        self.batches.append(list(tracking_ids))
        hook = type(self).on_batch
        given = hook(tracking_ids) if hook else None
        return answers_about(tracking_ids, self.lacks) if given is None else given

    def track_waybill(self, waybill: str) -> Tracking:
        return self._call("track_waybill", waybill, tracking_of(waybill))


def tracking_of(tracking_id: str) -> Tracking:
    return Tracking(tracking_id, (Scan(MAPPER.map("in_transit"), timezone.now(), "PUNE"),))


def answers_about(tracking_ids: Sequence[str], lacks: set[str] = frozenset()) -> dict[str, Any]:  # type: ignore[assignment]
    return {i: tracking_of(i) for i in tracking_ids if i not in lacks}


@pytest.fixture
def batches(able: Any) -> Iterator[Any]:
    """The toy courier that tracks in batches, registered for the test."""
    CourierFactory.register(BatchToyAdapter, ToyReceiver())
    BatchToyAdapter.batches.clear()
    BatchToyAdapter.lacks = set()
    BatchToyAdapter.on_batch = None
    yield BatchToyAdapter
    BatchToyAdapter.on_batch = None


def due_shipments(account: Any, count: int, **more: Any) -> list[str]:
    """Insert due shipments; return their tracking ids in the order in which they are due."""
    fields = {"status": "picked_up", "tracked_at": TWO_DAYS_AGO, "waybill": ""} | more
    ids = make_shipments(account, count, **fields)
    found = Shipment.objects.filter(pk__in=ids).order_by("pk")
    return list(found.values_list("tracking_id", flat=True))


def poll(account: Any, *, threads: int = 1, seconds: float = float("inf")) -> Counter[Polled]:
    counts: Counter[Polled] = Counter()
    polling.poll(
        account,
        cutoff=polling.poll_cutoff(3600),
        threads=threads,
        seconds=seconds,
        done=lambda outcome: counts.update([outcome]),
    )
    return counts


def test_shipments_are_asked_about_in_the_couriers_batch_size_the_longest_due_first(
    account: Any, batches: Any
) -> None:
    later = due_shipments(account, 6, tracked_at=TWO_DAYS_AGO + dt.timedelta(hours=1))
    asked_before = due_shipments(account, 1, polled_at=timezone.now() - dt.timedelta(hours=3))
    first = due_shipments(account, 6)
    assert poll(account) == {Polled.MOVED: 13}
    due = [*first, *later, *asked_before]
    assert batches.batches == [due[:5], due[5:10], due[10:]]
    assert not [name for name, _ in batches.asked if name == "track_shipment"]
    assert Shipment.objects.filter(status="in_transit").count() == 13
    assert poll(account) == {}


def test_every_batch_but_the_last_is_full_whatever_the_size_of_a_claim(
    account: Any, batches: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poll_feed, "CLAIMED", 7)
    due_shipments(account, 23)
    assert poll(account, threads=3) == {Polled.MOVED: 23}
    assert sorted(map(len, batches.batches)) == [3, 5, 5, 5, 5]


def test_what_the_answer_lacks_is_asked_about_by_waybill_or_not_found(
    account: Any, batches: Any
) -> None:
    known = due_shipments(account, 2)
    by_waybill = due_shipments(account, 1, waybill="W-7")
    unknown = due_shipments(account, 1)
    nowhere = due_shipments(account, 1, waybill="W-8")
    batches.lacks = {*by_waybill, *unknown, *nowhere}

    def history(waybill: str) -> None:
        if waybill == "W-8":
            raise NotFound("no history")

    batches.on_call["track_waybill"] = history
    assert poll(account) == {Polled.MOVED: 3, Polled.NOT_FOUND: 2}
    moved = Shipment.objects.filter(status="in_transit").values_list("tracking_id", flat=True)
    assert set(moved) == {*known, *by_waybill}
    assert len(batches.batches) == 1


def test_a_courier_that_knows_none_of_a_batch_may_answer_not_found(
    account: Any, batches: Any
) -> None:
    def nothing(_: Sequence[str]) -> Answers:
        raise NotFound("data does not exist for provided waybills")

    batches.on_batch = staticmethod(nothing)
    due_shipments(account, 5)
    assert poll(account) == {Polled.NOT_FOUND: 5}
    assert len(batches.batches) == 1


def test_an_answer_about_other_shipments_is_ignored(account: Any, batches: Any) -> None:
    asked = due_shipments(account, 1)
    (other,) = due_shipments(account, 1, tracked_at=timezone.now())  # not due

    def answers(tracking_ids: Sequence[str]) -> Answers:
        return answers_about([*tracking_ids, other, "T-NOBODY"])

    batches.on_batch = staticmethod(answers)
    assert poll(account) == {Polled.MOVED: 1}
    assert batches.batches == [asked]
    assert Shipment.objects.get(tracking_id=other).status == "picked_up"


def test_an_answer_under_another_ones_id_is_not_applied(account: Any, batches: Any) -> None:
    one, other = due_shipments(account, 2)

    def swapped(_: Sequence[str]) -> Answers:
        return {one: tracking_of(other), other: tracking_of(other)}

    batches.on_batch = staticmethod(swapped)
    assert poll(account) == {Polled.MOVED: 1, Polled.NOT_FOUND: 1}
    assert Shipment.objects.get(tracking_id=one).status == "picked_up"


@pytest.mark.parametrize("error", [Rejected("400"), Unknown("500"), KeyError("scans")])
def test_a_shipment_that_breaks_its_batch_fails_alone(
    account: Any, batches: Any, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poller, "TRIES", 1)
    bad = due_shipments(account, 5)[3]

    def breaks(tracking_ids: Sequence[str]) -> None:
        if bad in tracking_ids:
            raise error

    batches.on_batch = staticmethod(breaks)
    assert poll(account) == {Polled.MOVED: 4, Polled.FAILED: 1}
    batches.on_batch = None
    assert poll(account) == {Polled.MOVED: 1}
    assert batches.batches[-1] == [bad]


@pytest.mark.parametrize("answer", [None, "DELIVERED", 7])
def test_an_unreadable_answer_about_one_fails_that_one_alone(
    account: Any, batches: Any, answer: Any
) -> None:
    bad = due_shipments(account, 5)[0]

    def answers(tracking_ids: Sequence[str]) -> Answers:
        return answers_about(tracking_ids) | ({bad: answer} if bad in tracking_ids else {})

    batches.on_batch = staticmethod(answers)
    assert poll(account) == {Polled.MOVED: 4, Polled.FAILED: 1}


def test_an_answer_that_cannot_be_stored_fails_that_one_alone(account: Any, batches: Any) -> None:
    bad = due_shipments(account, 5)[2]
    no_zone = Scan(MAPPER.map("in_transit"), dt.datetime(2026, 11, 2))  # noqa: DTZ001

    def answers(tracking_ids: Sequence[str]) -> Answers:
        return answers_about(tracking_ids) | {bad: Tracking(bad, (no_zone,))}

    batches.on_batch = staticmethod(answers)
    assert poll(account) == {Polled.MOVED: 4, Polled.FAILED: 1}
    assert Shipment.objects.get(tracking_id=bad).status == "picked_up"


def test_a_batch_is_repeated_after_an_error_that_may_end_soon(
    account: Any, batches: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("couriers.tracking.poll_feed.time.sleep", pauses.append)
    errors: list[CourierError] = [Unknown("read time-out"), Unknown("500", retry_after=7)]

    def fails_twice(_: Sequence[str]) -> None:
        if errors:
            raise errors.pop(0)

    batches.on_batch = staticmethod(fails_twice)
    due_shipments(account, 5)
    assert poll(account) == {Polled.MOVED: 5}
    assert len(batches.batches) == 3
    assert pauses[1] == 7


@pytest.mark.parametrize("error", [RateLimited("used up", retry_after=40), CircuitOpen("failing")])
def test_a_run_that_ends_early_leaves_whole_batches_due(
    account: Any, batches: Any, error: CourierError
) -> None:
    def ends(_: Sequence[str]) -> None:
        if len(batches.batches) > 1:
            raise error

    batches.on_batch = staticmethod(ends)
    due = due_shipments(account, 12)
    poll(account, seconds=30)
    untouched = Shipment.objects.filter(polled_at__isnull=True).order_by("pk")
    assert list(untouched.values_list("tracking_id", flat=True)) == due[5:]


def test_a_batch_is_applied_by_few_statements_in_one_transaction(
    account: Any, batches: Any, django_assert_max_num_queries: Any
) -> None:
    from couriers.tracking.events import apply_trackings

    due = list(Shipment.objects.filter(tracking_id__in=due_shipments(account, 40)))
    answers = [(one, tracking_of(one.tracking_id)) for one in due]
    with django_assert_max_num_queries(8) as queries:  # the transaction's two among them
        apply_trackings(answers)
    assert "consignee_phone" not in str(queries.captured_queries)


def test_a_claim_reads_what_it_claims_however_many_shipments_are_open(account: Any) -> None:
    """By an index that has the due shipments in their order: no sort, no scan of the rest."""
    make_shipments(account, 3000, status="in_transit", tracked_at=timezone.now())
    make_shipments(account, 3000, status="delivered", tracked_at=TWO_DAYS_AGO)
    make_shipments(account, 3000, status="in_transit", tracked_at=TWO_DAYS_AGO)
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {Shipment._meta.db_table}")
    due = polling.due_for_poll(polling.poll_cutoff(3600)).filter(account=account)
    with transaction.atomic():
        plan = due.select_for_update(skip_locked=True)[:200].explain(analyze=True)
    assert "couriers_ship_poll_due" in plan
    assert "Sort" not in plan
    assert "Seq Scan" not in plan
    assert "Rows Removed" not in plan


@pytest.mark.slow
@pytest.mark.parametrize(
    ("adapter", "limit", "shipments"),
    [(BatchHttpAdapter, Limit(10, 4), 1250), (SingleHttpAdapter, Limit(20, 4), 50)],
)
def test_polling_keeps_95_per_cent_of_the_permitted_rate_and_no_call_is_too_fast(
    account: Any, adapter: type[SingleHttpAdapter], limit: Limit, shipments: int
) -> None:
    """Against a real HTTP server, which counts the calls by its own clock."""
    due_shipments(account, shipments)
    with courier_over_http(account, adapter, limit, latency=0.05) as server:
        assert poll(account, threads=8) == {Polled.MOVED: shipments}
        rate = measured(server, limit)
    assert rate.too_fast == 0
    assert rate.share >= 0.95
    assert rate.smallest == rate.largest == batch_size(account.courier_id)
