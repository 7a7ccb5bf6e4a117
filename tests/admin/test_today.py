"""The first page: its tiles show as many as their lists have rows, for whom they are, in time."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from couriers.conf import SENT_AT
from couriers.http.reports import report_login
from couriers.models import BookingAttempt, CallbackTally, Courier, CourierToken, Shipment
from couriers.operations import day_figures, health_lists
from couriers.operations.worklists import tallies
from couriers.resilience.circuit_breaker import CircuitBreaker
from tests.support.factories import (
    CourierAccountFactory,
    CourierRowFactory,
    ShipmentFactory,
    make_staff,
)
from tests.support.hanging import own_valkey
from tests.support.plans import whole_reads
from tests.support.today import rows_at, tiles_of
from tests.support.work import endpoint_that_is, hold_to, make_work

pytestmark = pytest.mark.django_db
HELD = {"view_shipment", "view_shipmentflag", "view_manifestchunk", "view_warehouseregistration",
        "view_shipmentaction", "view_bulkorder", "view_scan", "view_webhookevent",
        "view_courieraccount", "view_courier"}  # fmt: skip
PLATFORM = {"queues", "alerts", "couriers-restricted"}  # tiles that are of no company


def make_trouble(account: Any, count: int) -> None:
    """Have each tile of a company show `count` rows more."""
    for number in range(count):
        one = account
        if number:
            one = CourierAccountFactory(company=account.company, courier__code=f"c{number}")
        make_work(one)
        now = timezone.now()
        ShipmentFactory(account=one, status="failed", tracking_id="")
        ShipmentFactory(account=one, status="lost", status_at=now)
        fail_over(ShipmentFactory(account=one, attempt=2))
        CallbackTally.objects.create(account=one, accepted_at=now, refused_at=timezone.now())
        endpoint_that_is(account.company, failing_since=now, failures=1)
        one.rollout = "canary"
        one.save()
        circuit = CircuitBreaker.of_account(one.courier_id, one.pk)
        for _ in range(5):
            circuit.record_failure()
        report_login(one.pk, success=False)


def fail_over(shipment: Any, courier: str = "first") -> Any:
    """Have the shipment tried at another courier before its own."""
    now = timezone.now()
    BookingAttempt.objects.create(
        shipment=shipment, number=1, account=shipment.account,
        courier=CourierRowFactory(code=courier), outcome="rejected", started_at=now, ended_at=now,
    )  # fmt: skip
    return shipment


@pytest.fixture
def boss(db: None) -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("boss"))
    return client


def test_every_tile_shows_as_many_as_its_list_has_rows(boss: Client) -> None:
    make_trouble(CourierAccountFactory(), 2)
    make_trouble(CourierAccountFactory(), 1)
    Courier.objects.filter(code="c1").update(is_enabled=False)
    tiles = tiles_of(boss)
    assert len(tiles) == 24
    for name, tile in tiles.items():
        if name == "alerts":
            continue
        assert tile.number == rows_at(boss, tile.url), name
        assert tile.number == {"queues": 0, "couriers-restricted": 1}.get(name, 3), name


def test_a_user_held_to_a_company_is_shown_that_companys_numbers(client: Client) -> None:
    mine = CourierAccountFactory()
    make_trouble(mine, 2)
    make_trouble(CourierAccountFactory(), 3)
    user = make_staff(*HELD)
    hold_to(user, mine.company)
    client.force_login(user)
    for name, tile in tiles_of(client).items():
        if name not in PLATFORM:
            assert tile.number == rows_at(client, tile.url) == 2, name


def test_a_tile_is_for_those_who_may_see_its_rows(client: Client) -> None:
    client.force_login(make_staff("view_shipment"))
    names = set(tiles_of(client))
    assert {"doubts", "ndr", "not-picked", "lost", "failed-bookings", "failed-over"} <= names
    assert not names & {"callbacks", "circuits", "flags", "refused-callbacks", "unknown-statuses"}
    other = Client()
    other.force_login(make_staff("view_company", username="other"))
    assert tiles_of(other) == {}


def test_where_nothing_is_wrong_every_tile_is_good(boss: Client) -> None:
    from couriers.operations.task_gauges import RAN
    from couriers.resilience.shared import with_redis

    with_redis(lambda redis: redis.set(RAN, time.time()))
    states = {name: tile.state for name, tile in tiles_of(boss).items()}
    assert states.pop("alerts") == "not configured"
    assert states.pop("doubts") == ""
    assert set(states.values()) == {"good"}


def test_each_state_is_said_by_a_word_and_an_icon(boss: Client) -> None:
    make_trouble(CourierAccountFactory(), 1)
    tiles = tiles_of(boss)
    assert {name for name, tile in tiles.items() if tile.state == "bad"} >= {
        "flags", "callbacks", "chunks", "registrations", "refused-callbacks", "circuits", "logins",
        "endpoints",
    }  # fmt: skip
    assert {name for name, tile in tiles.items() if tile.state == "look"} >= {
        "ndr", "not-picked", "actions", "bulk", "unknown-statuses", "lost", "failed-bookings",
        "accounts-restricted", "failed-over", "endpoints-failing",
    }  # fmt: skip
    page = boss.get("/admin/").content.decode()
    assert 'aria-hidden="true">error</span>bad</span>' in page
    assert 'aria-hidden="true">visibility</span>look</span>' in page


def test_a_doubt_is_bad_once_it_is_older_than_a_quarter_of_an_hour(boss: Client) -> None:
    doubt = ShipmentFactory(status="in_doubt", tracking_id="")
    assert ">visibility</span>look" in boss.get("/admin/").content.decode()
    type(doubt).objects.update(created_at=timezone.now() - dt.timedelta(minutes=16))
    page = boss.get("/admin/").content.decode()
    assert ">error</span>bad" in page.split("today-work")[0]


@pytest.mark.parametrize("away", ["stop", "freeze"])
def test_without_redis_the_page_comes_in_time_and_says_what_it_does_not_know(
    boss: Client, away: str, tmp_path: Path, settings: Any
) -> None:
    settings.SHIPCROWD = {**settings.SHIPCROWD, "PROMETHEUS_URL": "http://127.0.0.1:9"}
    make_trouble(CourierAccountFactory(), 1)
    with own_valkey(tmp_path) as valkey:
        assert tiles_of(boss)["circuits"].number == 0
        getattr(valkey, away)()
        started = time.monotonic()
        tiles = tiles_of(boss)
        assert time.monotonic() - started < 5
        for name in ("circuits", "logins", "queues", "alerts"):
            assert (tiles[name].number, tiles[name].state) == (None, "unknown"), name
        assert tiles["ndr"].number == 1
        assert rows_at(boss, tiles["circuits"].url) == 0
        assert "nobody knows" in boss.get(tiles["queues"].url).content.decode()


def test_a_queue_that_is_older_than_its_budget_is_on_the_tile_and_in_its_list(
    boss: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from couriers.operations import queues
    from couriers.resilience import broker

    old = f'{{"headers": {{"{SENT_AT}": {time.time() - 100}}}}}'.encode()
    waiting = {"inbox": broker.Waiting(7, old), "booking": broker.Waiting(1, old)}
    monkeypatch.setattr(queues.broker, "waiting", lambda names: waiting)
    tile = tiles_of(boss)["queues"]
    assert (tile.number, tile.state) == (1, "bad")
    assert rows_at(boss, tile.url) == 1


def test_the_page_makes_at_most_twelve_statements_for_whoever_sees_the_most(
    client: Client,
) -> None:
    mine = CourierAccountFactory()
    make_trouble(mine, 2)
    Courier.objects.filter(code="c1").update(is_enabled=False)
    day_figures.count_due_days()
    user = make_staff(*HELD)
    hold_to(user, mine.company)
    client.force_login(user)
    with CaptureQueriesContext(connection) as queries:
        assert len(tiles_of(client)) == 22
    assert len(queries) <= 12


def test_the_tile_of_logins_says_how_many_tokens_end_within_the_hour(boss: Client) -> None:
    now = timezone.now()
    for minutes in (-5, 30, 40, 90):
        CourierToken.objects.create(
            account=CourierAccountFactory(), access_token="x",
            expires_at=now + dt.timedelta(minutes=minutes),
        )  # fmt: skip
    page = boss.get("/admin/").content.decode()
    assert "2 tokens end within the hour" in page
    assert tiles_of(boss)["logins"].number == 0


def test_the_tile_of_second_couriers_leads_to_exactly_these_orders(boss: Client) -> None:
    account = CourierAccountFactory(courier__code="second")
    with_two = fail_over(ShipmentFactory(account=account, attempt=2))
    fail_over(ShipmentFactory(account=account, attempt=2), courier="second")  # asked again
    ShipmentFactory(account=account)
    old = fail_over(ShipmentFactory(account=account, attempt=2))
    Shipment.objects.filter(pk=old.pk).update(
        created_at=timezone.now() - dt.timedelta(hours=25)
    )  # fmt: skip
    tile = tiles_of(boss)["failed-over"]
    assert (tile.number, tile.state) == (1, "look")
    listed = boss.get(tile.url).context["cl"].result_list
    assert [row.pk for row in listed] == [with_two.pk]


def test_second_couriers_are_counted_and_listed_by_an_index_of_these_orders_alone(
    boss: Client,
) -> None:
    fail_over(ShipmentFactory(attempt=2))
    (one,) = [one for one in health_lists.registered() if one.name == "failed-over"]
    with CaptureQueriesContext(connection) as captured:
        assert tallies(make_staff(), [one])["failed-over"].count == 1
        assert rows_at(boss, "/admin/shipcrowd_couriers/shipment/?work=failed-over") == 1
    asked = [query["sql"] for query in captured if '"attempt" > 1' in query["sql"]]
    counted, listed = asked[0], asked[-1]
    for sql in (counted, listed):
        assert "UNION" not in sql
        assert whole_reads(sql) == [], sql
