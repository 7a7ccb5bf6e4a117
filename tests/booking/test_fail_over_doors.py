"""Bulk requests, spreadsheets and returns ask the next courier as the booking of one order does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from couriers.booking.going_on import go_on_due
from couriers.contract.errors import WarehouseInDoubt
from couriers.models import BulkOrder, Company, Shipment
from tests.support.api import job_orders
from tests.support.commands import run_json
from tests.support.doors import DOORS, Door, by_return, client_of, post_job, work
from tests.support.doubts import pass_time
from tests.support.drafts import raising
from tests.support.fail_over import Asked, asked_in_turn, outcomes, settle_absent
from tests.support.orders import ORDER
from tests.support.spreadsheets import write_orders

pytestmark = pytest.mark.django_db(transaction=True)

EACH_DOOR = pytest.mark.parametrize("door", DOORS, indirect=True, ids=lambda door: door.__name__)


@pytest.fixture
def door(request: pytest.FixtureRequest, company: Company, two: list[Asked], tmp_path: Path) -> Any:
    """One of DOORS."""
    return request.param(company, two, tmp_path)


@EACH_DOOR
@pytest.mark.parametrize("behaviour", ["not sent", "not done", "refuses"])
def test_after_a_call_that_surely_booked_nothing_the_next_courier_books(
    door: Door, two: list[Asked], behaviour: str
) -> None:
    one, other = two
    one.books.behaviours = [behaviour] * 5
    told = door.send("auto")
    shipment = door.shipment()
    assert (told.outcome, told.courier, told.tracking_id) == ("booked", "two", shipment.tracking_id)
    assert (shipment.status, shipment.courier_id, shipment.attempt) == ("booked", "two", 2)
    assert (len(one.books.parcels), other.books.order(door.number)) == (0, [shipment.tracking_id])
    outcome = {"refuses": "rejected"}.get(behaviour, behaviour.replace(" ", "_"))
    assert outcomes(shipment) == [(1, "one", outcome)]
    if told.attempts is not None:
        assert told.attempts == [("one", outcome), ("two", "ok")]


@EACH_DOOR
def test_sent_twice_it_is_booked_once_and_no_courier_is_asked_again(
    door: Door, two: list[Asked]
) -> None:
    two[0].books.behaviours = ["refuses"]
    first, again = door.send("auto"), door.send("auto")
    assert (again.outcome, again.courier) == ("already_booked", "two")
    assert (again.tracking_id, again.attempts) == (first.tracking_id, first.attempts)
    assert [len(each.books.create_calls) for each in two] == [1, 1]
    assert door.shipment().attempt == 2


@EACH_DOOR
def test_a_doubt_is_left_to_itself_until_it_is_settled_and_then_the_next_courier_books(
    door: Door, two: list[Asked]
) -> None:
    one, other = two
    one.books.behaviours = ["request lost"]
    assert (door.send("auto").outcome, door.send("auto").outcome) == ("in_doubt", "in_doubt")
    assert (door.shipment().status, door.shipment().courier_id) == ("in_doubt", "one")
    assert (len(one.books.create_calls), len(other.books.create_calls)) == (1, 0)
    settle_absent()
    assert go_on_due(10) == 1
    told = door.send("auto")
    assert (told.outcome, told.courier) == ("already_booked", "two")
    assert [told.tracking_id] == other.books.order(door.number)
    assert outcomes(door.shipment()) == [(1, "one", "unknown")]
    assert (len(one.books.parcels), len(other.books.parcels)) == (0, 1)


@EACH_DOOR
def test_a_doubt_whose_parcel_is_found_asks_nobody_else(door: Door, two: list[Asked]) -> None:
    one, other = two
    one.books.behaviours = ["answer lost"]
    assert door.send("auto").outcome == "in_doubt"
    settle_absent()
    assert go_on_due(1) == 0
    told = door.send("auto")
    assert (told.outcome, told.courier) == ("already_booked", "one")
    assert ([told.tracking_id], other.books.create_calls) == (one.books.order(door.number), [])


@pytest.mark.parametrize("make", DOORS)
def test_without_such_a_rule_a_settled_doubt_only_frees_the_order(
    company: Company, no_backoff: None, make: Any, tmp_path: Path
) -> None:
    with asked_in_turn(company, "one", "two") as (one, other):
        door = make(company, [one, other], tmp_path)
        one.books.behaviours = ["request lost"]
        door.send("auto")
        settle_absent()
        assert go_on_due(1) == 0
        assert (door.shipment().status, other.books.create_calls) == ("failed", [])
        told = door.send("auto")
    assert (told.outcome, told.courier, door.shipment().attempt) == ("booked", "one", 2)
    assert (len(one.books.parcels), len(other.books.parcels)) == (1, 0)


@EACH_DOOR
def test_where_all_refuse_the_order_is_rejected_and_may_be_sent_again(
    door: Door, two: list[Asked]
) -> None:
    for each in two:
        each.books.behaviours = ["refuses"]
    told = door.send("auto")
    assert told.outcome == "rejected"
    assert "no such pincode" in told.reason
    assert outcomes(door.shipment()) == [(1, "one", "rejected"), (2, "two", "rejected")]
    again = door.send("auto")
    assert (again.outcome, again.courier, door.shipment().attempt) == ("booked", "one", 3)
    assert sum(len(each.books.parcels) for each in two) == 1


@EACH_DOOR
def test_a_courier_that_is_named_has_no_other_after_it(door: Door, two: list[Asked]) -> None:
    two[0].books.behaviours = ["refuses"]
    assert door.send("one").outcome == "rejected"
    assert (door.shipment().status, door.shipment().courier_id) == ("failed", "one")
    assert not two[1].books.create_calls


def test_a_return_without_a_courier_goes_with_the_shipments_own_alone(
    company: Company, two: list[Asked], tmp_path: Path
) -> None:
    one, own = two
    door = by_return(company, two, tmp_path)
    own.books.behaviours = ["refuses"]
    assert door.send("").outcome == "rejected"
    assert (door.shipment().courier_id, one.books.create_calls) == ("two", [])
    told = door.send("")
    assert (told.outcome, told.courier, door.shipment().choice) == ("booked", "two", None)


def test_a_bulk_order_that_no_courier_could_be_asked_about_is_tried_again_with_all(
    company: Company, two: list[Asked]
) -> None:
    one, other = two
    for each in two:
        each.books.behaviours = ["not sent"] * 4  # the call and its repeats
    client = client_of(company)
    url = post_job(client, {"orders": [ORDER | {"courier": "auto"}]})
    work(url)
    (told,) = job_orders(client, url)
    assert (told["outcome"], told["courier"]) == ("booked", "one")
    shipment = Shipment.objects.get()
    assert outcomes(shipment) == [(1, "one", "not_sent"), (2, "two", "not_sent")]
    assert (len(one.books.parcels), len(other.books.parcels)) == (1, 0)
    assert BulkOrder.objects.get().tries == 1


def test_a_courier_that_only_a_person_can_mend_does_not_end_an_order_that_another_may_take(
    company: Company, two: list[Asked]
) -> None:
    one, other = two
    one.books.behaviours = ["not sent"] * 4
    held = WarehouseInDoubt("a person must give its reference")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(other.books, "create", raising(held))
        url = post_job(client := client_of(company), {"orders": [ORDER | {"courier": "auto"}]})
        work(url)
    (told,) = job_orders(client, url)
    assert (told["outcome"], told["courier"]) == ("booked", "one")


MIXED = (
    "refuses", "answers", "request lost", "not done", "answer lost", "keeps", "answers", "refuses",
)  # fmt: skip


@pytest.mark.parametrize("by_command", [False, True], ids=["bulk", "spreadsheet"])
def test_many_orders_at_once_and_twice_are_booked_once_each(
    company: Company, two: list[Asked], by_command: bool, tmp_path: Path
) -> None:
    """The first courier behaves each time differently; the second takes what it does not."""
    one, other = two
    numbers = [f"A-{number}" for number in range(16)]
    one.books.behaviours = list(MIXED) * 2
    if by_command:
        path = write_orders(
            tmp_path / "orders.csv", *({"order_number": number} for number in numbers)
        )
        flags = ("--company", company.slug, "--courier", "auto", "--workers", "4")
        first, again = (run_json("book_orders", str(path), *flags, code=3) for _ in range(2))
    else:
        client = client_of(company)
        orders = [ORDER | {"order_number": number, "courier": "auto"} for number in numbers]
        first, again = (_counts(client, {"orders": orders}) for _ in range(2))
    booked = {each: first[each] for each in ("booked", "in_doubt", "rejected", "failed")}
    assert booked == {"booked": 12, "in_doubt": 4, "rejected": 0, "failed": 0}
    assert (again["already_booked"], again["in_doubt"], again["booked"]) == (12, 4, 0)
    assert Shipment.objects.count() == len(numbers)
    settle_absent()
    go_on_due(20)
    parcels = [each["order_number"] for books in (one.books, other.books) for each in books.parcels]
    assert sorted(parcels) == sorted(numbers)
    assert set(Shipment.objects.values_list("status", flat=True)) == {"booked"}


def _counts(client: Client, body: Any) -> Any:
    url = post_job(client, body)
    work(url)
    return client.get(url).json()["counts"]


def test_a_worker_that_is_killed_after_the_next_courier_booked_leaves_no_second_parcel(
    company: Company, two: list[Asked], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job's next worker finds the order as it was left: in flight, then in doubt."""
    one, other = two
    one.books.behaviours = ["refuses"]
    client = client_of(company)
    url = post_job(client, {"orders": [ORDER | {"courier": "auto"}]})
    with monkeypatch.context() as patch:
        patch.setattr("couriers.booking.protocol.settle_booked", killed)
        with pytest.raises(KeyboardInterrupt):
            work(url)
    assert (Shipment.objects.get().courier_id, len(other.books.parcels)) == ("two", 1)
    pass_time(151)
    BulkOrder.objects.update(lease_expires_at="2026-01-01T00:00Z")
    work(url)
    (told,) = job_orders(client, url)
    assert [each["outcome"] for each in told["booking_attempts"]] == ["rejected", "unknown"]
    assert (told["outcome"], told["courier"]) == ("in_doubt", "two")
    settle_absent()
    assert Shipment.objects.get().status == "booked"
    assert (len(one.books.parcels), len(other.books.parcels)) == (0, 1)


def killed(*_: Any) -> None:
    """Stand for a process that is killed here."""
    raise KeyboardInterrupt


def test_a_page_of_a_jobs_orders_makes_as_many_statements_however_many_couriers_were_asked(
    company: Company, two: list[Asked]
) -> None:
    client = client_of(company)
    statements = []
    for count in (1, 6):
        two[0].books.behaviours = ["refuses"] * count
        numbers = [f"{count}-{number}" for number in range(count)]
        url = post_job(
            client,
            {"orders": [ORDER | {"order_number": each, "courier": "auto"} for each in numbers]},
        )
        work(url)
        with CaptureQueriesContext(connection) as captured:
            orders = job_orders(client, url)
        assert [len(each["booking_attempts"]) for each in orders] == [2] * count
        statements.append(len(captured))
    assert statements[0] == statements[1]
