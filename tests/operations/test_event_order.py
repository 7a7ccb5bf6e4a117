"""Events are read in the order of their positions, and no reader misses one or has one twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, connections, transaction

from couriers.models import Event, Shipment
from couriers.operations import events
from couriers.operations.events import number_events
from tests.support.factories import ShipmentFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shipments(account: Any) -> list[Shipment]:
    warehouse = account.company.warehouses.get()
    return [ShipmentFactory(account=account, warehouse=warehouse) for _ in range(4)]


def change(shipment: Shipment, status: str) -> None:
    Shipment.objects.filter(pk=shipment.pk).update(status=status)


@contextmanager
def open_change(shipment: Shipment, status: str) -> Iterator[None]:
    """Another session changes the shipment, and commits at the end of the block."""
    changed, commit = threading.Event(), threading.Event()

    def work() -> None:
        try:
            with transaction.atomic():
                change(shipment, status)
                changed.set()
                assert commit.wait(30)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(work)
        assert changed.wait(30)
        try:
            yield
        finally:
            commit.set()
            call.result()


class Reader:
    """Reads on from the last position that it has seen, as a storefront and an endpoint do."""

    def __init__(self) -> None:
        self.position = 0
        self.seen: list[Event] = []

    def read(self) -> list[str | None]:
        """Return the shipments of the events that are new to it."""
        found = list(Event.objects.filter(position__gt=self.position).order_by("position"))
        if found:
            self.position = found[-1].position or 0
        self.seen += found
        return [event.shipment_id for event in found]


def test_a_reader_misses_no_event_that_is_committed_after_a_later_one(
    shipments: list[Shipment],
) -> None:
    early, late, *_ = shipments
    reader = Reader()
    with open_change(early, "in_transit"):
        change(late, "in_transit")  # written second, committed first
        assert number_events() == 1
        assert reader.read() == [late.pk]
    assert number_events() == 1
    assert reader.read() == [early.pk]
    by_number = list(Event.objects.order_by("number").values_list("shipment_id", flat=True))
    assert by_number == [early.pk, late.pk], "the order of writing was the other one"


def test_one_process_numbers_at_a_time_and_nobody_waits_for_it(shipments: list[Shipment]) -> None:
    change(shipments[0], "in_transit")
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [events.LOCK])
                held.set()
                release.wait(30)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(hold)
        assert held.wait(30)
        began = time.monotonic()
        assert number_events() == 0
        assert time.monotonic() - began < 5
        release.set()
        call.result()
    assert number_events() == 1


def test_a_backlog_is_numbered_in_batches_in_the_order_of_writing(
    shipments: list[Shipment], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "BATCH", 3)
    for status in ("picked_up", "in_transit"):
        for shipment in shipments:
            change(shipment, status)
    assert number_events(batches=1) == 3
    assert Event.objects.filter(position__isnull=True).count() == 5
    assert number_events() == 5
    in_order = list(Event.objects.order_by("position").values_list("number", flat=True))
    assert in_order == sorted(in_order)


def test_positions_go_on_after_all_events_are_gone(shipments: list[Shipment]) -> None:
    reader = Reader()
    change(shipments[0], "in_transit")
    number_events()
    reader.read()
    Event.objects.all().delete()
    change(shipments[1], "in_transit")
    number_events()
    assert reader.read() == [shipments[1].pk]


def test_readers_have_every_event_once_and_in_order_while_many_write_and_number(
    account: Any,
) -> None:
    warehouse = account.company.warehouses.get()
    shipments = [ShipmentFactory(account=account, warehouse=warehouse) for _ in range(6)]
    statuses = ["in_transit", "out_for_delivery", "undelivered", "delayed"] * 5
    writing = threading.Event()
    writing.set()

    def write(mine: list[Shipment]) -> None:
        # Two shipments in one transaction, so that commits overlap the writes of others.
        for status in statuses:
            with transaction.atomic():
                for shipment in mine:
                    change(shipment, status)
                    time.sleep(0.002)

    def number() -> None:
        while writing.is_set():
            number_events()

    def close_after(work: Any, *arguments: Any) -> None:
        try:
            work(*arguments)
        finally:
            connections.close_all()

    reader = Reader()
    with ThreadPoolExecutor(5) as pool:
        writers = [pool.submit(close_after, write, shipments[n : n + 2]) for n in (0, 2, 4)]
        numberers = [pool.submit(close_after, number) for _ in range(2)]
        while not all(call.done() for call in writers):
            reader.read()
        writing.clear()
        for call in (*writers, *numberers):
            call.result()
    number_events()
    reader.read()
    ids = [event.pk for event in reader.seen]
    assert len(ids) == len(set(ids)) == Event.objects.count() == 6 * len(statuses)
    for shipment in shipments:
        told = [
            event.data["shipment"]["status"]
            for event in reader.seen
            if event.shipment_id == shipment.pk
        ]
        assert told == statuses
