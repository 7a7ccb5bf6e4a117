"""Every change that a storefront is told of writes exactly one event, in its own transaction."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from couriers.contract.statuses import Status
from couriers.models import (
    BulkJob,
    BulkOrder,
    Event,
    EventType,
    FlagKind,
    Manifest,
    ManifestChunk,
    Shipment,
    ShipmentAction,
    ShipmentFlag,
)
from couriers.models.ids import new_event_id
from tests.support.factories import ShipmentFactory

pytestmark = pytest.mark.django_db

PERSONAL = ("consignee_name", "consignee_phone", "consignee_address", "consignee_city")

LETTERS, DIGITS = "abcdefghjkmnpqrstvwxyz", "abcdefghijklmnopqrstuv"  # of a ULID, and of base 32


def type_of(old: Status, new: Status) -> EventType:
    """The type of the event of a change of the status, as docs/api.md has it."""
    settled = {(Status.IN_DOUBT, Status.BOOKED), (Status.IN_DOUBT, Status.FAILED),
               (Status.FAILED, Status.BOOKED)}  # fmt: skip
    if (old, new) in settled:
        return EventType.SETTLED
    if (old, new) == (Status.BOOKING, Status.BOOKED):
        return EventType.BOOKED
    named = {
        Status.IN_DOUBT: EventType.IN_DOUBT,
        Status.DELIVERED: EventType.DELIVERED,
        Status.UNDELIVERED: EventType.UNDELIVERED,
    }
    return named.get(new, EventType.STATUS_CHANGED)


def written() -> list[Event]:
    """The events that are there, in the order of writing; they are removed."""
    found = list(Event.objects.order_by("number"))
    Event.objects.all().delete()
    return found


@pytest.mark.slow
def test_every_change_of_the_status_is_one_event_of_its_type(shipment: Shipment) -> None:
    row = Shipment.objects.filter(pk=shipment.pk)
    row.update(lease_expires_at=timezone.now())
    for old, new in itertools.product(Status, Status):
        row.update(status=old)
        written()
        row.update(status=new)
        events = written()
        if old == new:
            assert events == [], old
            continue
        assert [event.type for event in events] == [type_of(old, new)], (old, new)
        told = events[0].data["shipment"]
        assert (told["previous_status"], told["status"]) == (old, new)


def test_an_event_tells_ids_and_statuses_and_nothing_of_the_consignee(shipment: Shipment) -> None:
    at = dt.datetime(2026, 11, 29, 10, 30, 5, 250000, tzinfo=dt.UTC)
    Shipment.objects.filter(pk=shipment.pk).update(
        status="undelivered", status_at=at, ndr_reason="Door closed", waybill="W1"
    )
    event = Event.objects.get()
    assert event.data == {
        "shipment": {
            "id": shipment.pk, "order_number": shipment.order_number, "direction": "forward",
            "courier": "toy", "status": "undelivered", "previous_status": "booked",
            "status_at": "2026-11-29T10:30:05.250000Z", "ndr_reason": "Door closed",
            "tracking_id": shipment.tracking_id, "waybill": "W1",
        }
    }  # fmt: skip
    assert (event.company_id, event.shipment_id) == (shipment.company_id, shipment.pk)
    assert (event.is_test, event.position) == (False, None)
    assert abs(event.created_at - timezone.now()) < dt.timedelta(minutes=1)
    text = str(event.data)
    assert not [name for name in PERSONAL if str(getattr(shipment, name)) in text]


@pytest.mark.parametrize(
    ("old", "new", "outcome"),
    [
        ("in_doubt", "booked", "booked"),
        ("failed", "booked", "booked"),
        ("in_doubt", "failed", "not_booked"),
    ],
)
def test_a_settled_booking_says_how(shipment: Shipment, old: str, new: str, outcome: str) -> None:
    Shipment.objects.filter(pk=shipment.pk).update(status=old)
    written()
    Shipment.objects.filter(pk=shipment.pk).update(status=new)
    assert [event.data["outcome"] for event in written()] == [outcome]


def test_a_further_failed_attempt_is_an_event_and_an_older_scan_is_not(shipment: Shipment) -> None:
    row = Shipment.objects.filter(pk=shipment.pk)
    first = timezone.now()
    row.update(status="undelivered", status_at=first)
    written()
    row.update(status="undelivered", status_at=first)
    row.update(status="undelivered", status_at=first - dt.timedelta(hours=1))
    assert written() == []
    row.update(status="undelivered", status_at=first + dt.timedelta(days=1))
    assert [event.type for event in written()] == [EventType.UNDELIVERED]


def test_other_columns_write_no_event(shipment: Shipment) -> None:
    shipment.refresh_from_db()
    shipment.waybill = "W2"
    shipment.save()  # writes every column
    assert written() == []


def test_a_change_that_is_rolled_back_has_no_event(shipment: Shipment) -> None:
    with transaction.atomic():
        Shipment.objects.filter(pk=shipment.pk).update(status="in_transit")
        assert Event.objects.count() == 1
        transaction.set_rollback(True)
    assert Event.objects.count() == 0


def test_one_statement_over_many_shipments_writes_an_event_for_each(account: Any) -> None:
    warehouse = account.company.warehouses.get()
    ids = {ShipmentFactory(account=account, warehouse=warehouse).pk for _ in range(3)}
    Shipment.objects.filter(pk__in=ids).update(status="picked_up")
    assert {event.shipment_id for event in written()} == ids


def test_a_flag_is_an_event_when_it_is_raised_and_not_when_it_is_cleared(
    shipment: Shipment,
) -> None:
    flag = ShipmentFlag.objects.create(
        shipment=shipment,
        kind=FlagKind.SECOND_SHIPMENT,
        tracking_id="T-9",
        raised_at=timezone.now(),
    )
    ShipmentFlag.objects.filter(pk=flag.pk).update(cleared_at=timezone.now(), clear_reason="ok")
    [event] = written()
    assert event.type == EventType.FLAGGED
    told = event.data["flag"]
    assert (told["kind"], told["tracking_id"], told["order_number"]) == (
        "second_shipment",
        "T-9",
        "",
    )
    assert event.data["shipment"]["id"] == event.shipment_id == shipment.pk


def test_an_action_is_an_event_when_it_ends_and_again_when_an_unknown_one_does(
    shipment: Shipment,
) -> None:
    action = ShipmentAction.objects.create(
        shipment=shipment, kind="cancel", lease_expires_at=timezone.now()
    )
    row = ShipmentAction.objects.filter(pk=action.pk)
    row.update(state="accepted", outcome="accepted", next_attempt_at=timezone.now())
    assert written() == []
    row.update(state="unknown", outcome="unknown", ended_at=timezone.now())
    row.update(handle="H")
    row.update(state="done", outcome="done")
    told = [(event.type, event.data["action"]["outcome"]) for event in written()]
    assert told == [(EventType.ACTION_ENDED, "unknown"), (EventType.ACTION_ENDED, "done")]


def test_a_job_and_a_manifest_are_events_when_they_end(account: Any) -> None:
    job = BulkJob.objects.create(company=account.company, total=3)
    for position, outcome in enumerate(["booked", "booked", "rejected"]):
        BulkOrder.objects.create(
            job=job, position=position, outcome=outcome, finished_at=timezone.now()
        )
    BulkJob.objects.filter(pk=job.pk).update(state="done", finished_at=timezone.now())
    manifest = Manifest.objects.create(company=account.company, account=account)
    for position, state in enumerate(["done", "failed"]):
        ManifestChunk.objects.create(
            manifest=manifest, position=position, state=state, tracking_ids=["a", "b"]
        )
    Manifest.objects.filter(pk=manifest.pk).update(state="failed", finished_at=timezone.now())
    of_job, of_manifest = written()
    assert (of_job.type, of_job.shipment_id) == (EventType.JOB_FINISHED, None)
    assert of_job.data["job"]["counts"] == {"booked": 2, "rejected": 1}
    assert (of_job.data["job"]["id"], of_job.data["job"]["total"]) == (job.pk, 3)
    assert of_manifest.type == EventType.MANIFEST_FINISHED
    told = of_manifest.data["manifest"]
    assert (told["id"], told["state"]) == (manifest.pk, "failed")
    counts = ("chunks", "chunks_done", "chunks_failed", "shipments", "shipments_done")
    assert [told[name] for name in counts] == [2, 1, 1, 4, 2]


def test_an_id_made_by_a_trigger_is_like_one_of_ours(shipment: Shipment) -> None:
    before = new_event_id()
    for status in ("in_transit", "delivered"):
        Shipment.objects.filter(pk=shipment.pk).update(status=status)
    after = new_event_id()
    ids = [event.pk for event in written()]
    assert len(set(ids)) == 2
    for one in (before, *ids, after):
        assert re.fullmatch("evt_[0-9abcdefghjkmnpqrstvwxyz]{26}", one)
    first, second = (_milliseconds_of(one) for one in ids)
    # Ids of a process may be ahead of the clock by what it has made at once.
    assert _milliseconds_of(before) - 1000 < first <= second < _milliseconds_of(after) + 1000


def _milliseconds_of(event_id: str) -> int:
    """The time in the first ten letters."""
    return int(event_id[4:14].translate(str.maketrans(LETTERS, DIGITS)), 32)
