"""GET events/: every event of the company once, oldest first, to be read on from a cursor."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from couriers.models import Event, EventType, Shipment
from couriers.models.ids import first_event_id
from couriers.operations import retention
from couriers.operations.events import _PLACE, LOCK, number_events
from tests.support.api import post_shipment, set_status
from tests.support.callbacks import other_connection
from tests.support.factories import CompanyFactory, ShipmentFactory, make_api_key
from tests.support.plans import whole_reads

pytestmark = pytest.mark.django_db

URL = "/api/v1/events/"


@pytest.fixture
def another(account: Any) -> Shipment:
    return ShipmentFactory(account=account, warehouse=account.company.warehouses.get())


def read(client: Client, **query: Any) -> Any:
    answer = client.get(URL, query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def types_in(page: Any) -> list[str]:
    return [event["type"].removeprefix("shipment.") for event in page["results"]]


def test_a_storefront_polls_by_cursor_and_neither_misses_nor_doubles(
    storefront: Client, shipment: Shipment, another: Shipment
) -> None:
    assert read(storefront) == {"results": [], "next": None, "cursor": None}
    for status in ("picked_up", "in_transit", "out_for_delivery"):
        set_status(shipment, status)
    first = read(storefront, page_size=2)
    assert [event["data"]["shipment"]["status"] for event in first["results"]] == [
        "picked_up", "in_transit",
    ]  # fmt: skip
    assert first["cursor"] == first["results"][-1]["id"]
    second = storefront.get(first["next"]).json()
    assert (types_in(second), second["next"]) == (["status_changed"], None)
    assert read(storefront, cursor=second["cursor"])["results"] == []
    set_status(another, "delivered")
    set_status(shipment, "delivered")
    last = read(storefront, cursor=second["cursor"])
    assert [event["data"]["shipment"]["id"] for event in last["results"]] == [
        another.pk, shipment.pk,
    ]  # fmt: skip
    assert read(storefront, cursor=last["cursor"])["cursor"] == last["cursor"]


def test_a_booking_is_read_at_once(storefront: Client, account: Any, order: Any) -> None:
    booked = post_shipment(storefront, order).json()
    [event] = read(storefront)["results"]
    assert (event["type"], event["is_test"]) == ("shipment.booked", False)
    told = event["data"]["shipment"]
    assert [told[name] for name in ("id", "status", "previous_status", "tracking_id")] == [
        booked["id"], "booked", "booking", booked["tracking_id"],
    ]  # fmt: skip
    assert storefront.get(f"{URL}{event['id']}/").json() == event


def test_types_shipments_and_times_are_filtered(
    storefront: Client, shipment: Shipment, another: Shipment
) -> None:
    set_status(shipment, "undelivered")
    set_status(another, "in_transit")
    set_status(shipment, "delivered")
    assert types_in(read(storefront, type="shipment.delivered")) == ["delivered"]
    both = read(storefront, type=["shipment.delivered", "shipment.undelivered"])
    assert types_in(both) == ["undelivered", "delivered"]
    assert types_in(read(storefront, shipment=another.pk)) == ["status_changed"]
    assert read(storefront, shipment="shp_nobody")["results"] == []
    middle = Event.objects.get(type=EventType.STATUS_CHANGED).created_at
    assert types_in(read(storefront, created_after=middle.isoformat())) == [
        "status_changed", "delivered",
    ]  # fmt: skip


def test_a_filtered_reader_goes_on_behind_what_it_did_not_want(
    storefront: Client, shipment: Shipment
) -> None:
    set_status(shipment, "in_transit")
    set_status(shipment, "undelivered")
    page = read(storefront, type="job.finished")
    assert page == {"results": [], "next": None, "cursor": Event.objects.latest("position").pk}
    set_status(shipment, "delivered")
    assert types_in(read(storefront, cursor=page["cursor"])) == ["delivered"]


def test_other_companies_see_nothing_and_cannot_use_a_cursor(
    storefront: Client, shipment: Shipment
) -> None:
    set_status(shipment, "delivered")
    [event] = read(storefront)["results"]
    stranger = Client(headers={"Authorization": f"Bearer {make_api_key(CompanyFactory())}"})
    assert read(stranger)["results"] == read(stranger, shipment=shipment.pk)["results"] == []
    assert stranger.get(f"{URL}{event['id']}/").status_code == 404
    assert stranger.get(URL, {"cursor": event["id"]}).status_code == 400


def test_a_test_key_reads_the_events_of_test_rows_and_a_live_key_all_others(
    storefront: Client, company: Any, shipment: Shipment, another: Shipment
) -> None:
    Shipment.objects.filter(pk=another.pk).update(is_test=True)
    set_status(shipment, "in_transit")
    set_status(another, "delivered")
    tester = Client(headers={"Authorization": f"Bearer {make_api_key(company, is_test=True)}"})
    [live], [test] = read(storefront)["results"], read(tester)["results"]
    assert [event["data"]["shipment"]["id"] for event in (live, test)] == [shipment.pk, another.pk]
    assert (live["is_test"], test["is_test"]) == (False, True)
    assert tester.get(f"{URL}{live['id']}/").status_code == 404
    assert tester.get(URL, {"cursor": live["id"]}).status_code == 400


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("type=nope", "type"),
        ("type=ping&type=nope", "type"),
        ("cursor=5", "cursor"),
        ("cursor=shp_00000000000000000000000000", "cursor"),
        ("cursor=evt_zzzzzzzzzzzzzzzzzzzzzzzzzz", "cursor"),
        ("cursor=evt_%C3%A9", "cursor"),
        ("created_after=yesterday", "created_after"),
        ("shipment=" + "x" * 41, "shipment"),
        ("shipment=a&shipment=b", "shipment"),
        ("page_size=201", "page_size"),
        ("order=newest", "order"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(
    storefront: Client, shipment: Shipment, query: str, field: str
) -> None:
    set_status(shipment, "delivered")
    answer = storefront.get(f"{URL}?{query}")
    assert answer.status_code == 400, answer.content
    assert [problem["field"] for problem in answer.json()["errors"]] == [field]


def test_events_are_kept_for_thirty_days_and_an_older_cursor_begins_anew(
    storefront: Client, shipment: Shipment, settings: Any
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"RETENTION_PAUSE": 0.0}
    set_status(shipment, "in_transit")
    number_events()
    Event.objects.update(created_at=timezone.now() - dt.timedelta(days=29))
    assert retention.purge().counts["events"] == 0
    Event.objects.update(created_at=timezone.now() - dt.timedelta(days=31))
    assert retention.purge().counts["events"] == 1
    set_status(shipment, "delivered")
    old = first_event_id(timezone.now() - dt.timedelta(days=31))
    assert types_in(read(storefront, cursor=old)) == ["delivered"]


@pytest.mark.django_db(transaction=True)
def test_a_read_only_database_still_tells_the_events_before(
    storefront: Client, shipment: Shipment
) -> None:
    set_status(shipment, "in_transit")
    number_events()
    set_status(shipment, "delivered")
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    try:
        assert types_in(read(storefront)) == ["status_changed"]
    finally:
        connection.close()
    assert types_in(read(storefront)) == ["status_changed", "delivered"]


@pytest.mark.django_db(transaction=True)
def test_a_reader_waits_for_nobody_who_gives_positions(
    storefront: Client, shipment: Shipment
) -> None:
    set_status(shipment, "delivered")
    with other_connection() as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        assert read(storefront)["results"] == []
    assert types_in(read(storefront)) == ["delivered"]


def test_a_page_of_events_costs_few_statements(
    storefront: Client, shipment: Shipment, django_assert_max_num_queries: Any
) -> None:
    for _ in range(30):
        set_status(shipment, "in_transit")
        set_status(shipment, "delayed")
    number_events()
    cursor = Event.objects.earliest("position").pk
    with django_assert_max_num_queries(5):
        page = read(storefront, cursor=cursor)
    assert len(page["results"]) == 50


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"type": ["shipment.delivered", "ping"]},
        {"shipment": "shp_1"},
        {"created_after": "2026-11-25T10:30:00Z"},
    ],
    ids=str,
)
def test_an_index_serves_each_statement_of_a_page(
    storefront: Client, shipment: Shipment, query: dict[str, Any]
) -> None:
    set_status(shipment, "in_transit")
    cursor = read(storefront)["cursor"]
    set_status(shipment, "delivered")
    with CaptureQueriesContext(connection) as seen:
        read(storefront, cursor=cursor, **query)
    told = [one["sql"] for one in seen if f'FROM "{Event._meta.db_table}"' in one["sql"]]
    assert len(told) == 4  # is one unnumbered, the cursor, the newest, the page
    assert [whole_reads(sql) for sql in told] == [[]] * 4


def test_numbering_reads_no_event_that_has_its_position(shipment: Shipment) -> None:
    set_status(shipment, "in_transit")
    assert whole_reads(_PLACE.replace("%s", "5000")) == []
