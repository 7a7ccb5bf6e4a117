"""What the inbox promises of its one statement, its short way and its workers."""

from __future__ import annotations

import datetime as dt
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.conf import settings as django_settings
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.utils import timezone
from django_redis import get_redis_connection
from kombu.exceptions import OperationalError as BrokerAway

from couriers.models import Scan, Shipment
from couriers_ekart.callbacks.registration import TOPICS_BY_QUERY
from tests.support.callbacks import SECRET, send_callback
from tests.support.factories import CourierAccountFactory, ShipmentFactory
from tests.support.flags import open_flags
from webhooks import metrics, nudge, processing, tasks
from webhooks.models import WebhookEvent
from webhooks.processing import Drained, drain


def other_connection() -> psycopg.Connection[Any]:
    url = django_settings.DATABASE_URL.rsplit("/", 1)[0]
    return psycopg.connect(f"{url}/{connection.settings_dict['NAME']}", autocommit=True)


def seen(request: HttpRequest) -> None:
    raise AssertionError("a middleware saw a callback")


def blind(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """A middleware that must not be reached."""

    def middleware(request: HttpRequest) -> HttpResponse:
        seen(request)
        return get_response(request)

    return middleware


@pytest.mark.django_db
@pytest.mark.usefixtures("no_nudges")
def test_no_session_csrf_or_user_is_looked_for(
    account: Any, shipment: Shipment, settings: Any
) -> None:
    first, *others = settings.MIDDLEWARE
    settings.MIDDLEWARE = [first, "tests.webhooks.test_promises.blind", *others]
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(account.webhook_path, {"id": "T"}, "application/json", headers=SECRET)
    assert (answer.status_code, dict(answer.cookies)) == (200, {})


@pytest.mark.django_db
@pytest.mark.usefixtures("no_nudges")
def test_without_the_short_way_callbacks_still_arrive(
    account: Any, shipment: Shipment, settings: Any
) -> None:
    settings.MIDDLEWARE = settings.MIDDLEWARE[1:]
    assert send_callback(account, {"id": "T", "status": "lost", "hour": 1}) == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_nudges")
def test_a_callback_is_one_commit_and_no_health_check(account: Any, shipment: Shipment) -> None:
    send_callback(account, {"id": "T", "n": -1})
    wire = connection.connection.pgconn  # what goes over this very connection
    with tempfile.TemporaryFile("w+") as trace:
        wire.trace(trace.fileno())
        for number in range(50):
            # As at the start of a request on a connection that has been kept.
            connection.close_if_unusable_or_obsolete()
            send_callback(account, {"id": "T", "n": number})
        wire.untrace()
        trace.seek(0)
        # Direction, length, kind of message, what it says; a statement has lines of its own.
        said = [line.rstrip().split("\t")[1:] for line in trace]
    sent = Counter(words[2] for words in said if words[:1] == ["F"])
    assert (sent["Execute"], sent["Parse"], sent["Query"]) == (50, 0, 0)
    # In autocommit, each is a commit of its own, and no transaction was ever open.
    assert [words[3] for words in said if words[2:3] == ["ReadyForQuery"]] == [" I"] * 50


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_nudges")
def test_a_connection_that_broke_meanwhile_loses_nothing(account: Any, shipment: Shipment) -> None:
    send_callback(account, {"id": "T", "n": 1})
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    with other_connection() as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    connection.close_if_unusable_or_obsolete()
    assert send_callback(account, {"id": "T", "n": 2}) == 200
    assert WebhookEvent.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_worker_is_told_of_a_row_only_when_it_is_there_to_be_seen(
    account: Any, shipment: Shipment, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = []

    def look() -> None:
        with other_connection() as other:
            found = other.execute("SELECT count(*) FROM shipcrowd_webhooks_webhookevent")
            counts.append(found.fetchone())

    monkeypatch.setattr("webhooks.views.nudge", look)
    send_callback(account, {"id": "T", "n": 1})
    assert counts == [(1,)]


@pytest.mark.django_db
def test_a_broker_that_is_down_does_not_fail_the_request(
    account: Any, shipment: Shipment, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = threading.Event()

    def away(**_: Any) -> None:
        tried.set()
        raise BrokerAway("away")

    monkeypatch.setattr(tasks.process_inbox, "apply_async", away)
    monkeypatch.setattr(nudge, "REST", 0.0)
    before = metrics.NUDGES_FAILED._value.get()
    assert send_callback(account, {"id": "T", "n": 1}) == 200
    assert tried.wait(10)
    assert send_callback(account, {"id": "T", "n": 2}) == 200
    assert metrics.NUDGES_FAILED._value.get() >= before


@pytest.mark.django_db
def test_nudges_do_not_pile_up_and_none_is_missed_once_a_worker_has_begun(
    account: Any, shipment: Shipment, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(tasks.process_inbox, "apply_async", lambda **more: sent.append(more))
    for _ in range(3):
        nudge._tell()
    assert sent == [{"expires": tasks.EXPIRES}]
    # One that was lost is not waited for longer than it would have been good for.
    assert 0 < get_redis_connection("default").ttl(tasks.TOLD) <= tasks.EXPIRES

    def meanwhile() -> Drained:
        nudge._tell()
        return Drained()

    monkeypatch.setattr(tasks, "drain", meanwhile)
    for begun in (tasks.process_inbox, tasks.sweep_inbox):
        sent.clear()
        begun()
        assert len(sent) == 1


@pytest.mark.django_db
@pytest.mark.usefixtures("no_nudges")
def test_a_crash_between_the_effect_and_its_mark_loses_neither(
    account: Any, shipment: Shipment, monkeypatch: pytest.MonkeyPatch
) -> None:
    send_callback(account, {"id": shipment.tracking_id, "status": "lost", "hour": 1})

    def crash(*_: Any) -> None:
        raise OperationalError("gone")

    with monkeypatch.context() as broken:
        broken.setattr(processing, "_mark", crash)
        with pytest.raises(OperationalError):
            drain()
    assert (Scan.objects.count(), WebhookEvent.objects.get().state) == (0, "pending")
    drain()
    assert (Scan.objects.count(), WebhookEvent.objects.get().state) == (1, "processed")


@pytest.mark.django_db
@pytest.mark.usefixtures("no_nudges")
def test_two_poisonous_events_among_many_are_found(account: Any, shipment: Shipment) -> None:
    for hour in range(40):
        # An estimate that is no time fails in the core, past the plug-in's reading.
        more = {"estimate": 10**30} if hour in (3, 31) else {}
        send_callback(
            account, {"id": shipment.tracking_id, "status": "in_transit", "hour": hour, **more}
        )
    drained = drain()
    assert (drained.processed, drained.failed) == (38, 2)
    assert Scan.objects.count() == 38
    reasons = set(WebhookEvent.objects.filter(state="failed").values_list("reason", flat=True))
    assert reasons == {"OverflowError while it was applied"}


@pytest.mark.django_db
@pytest.mark.usefixtures("no_nudges")
def test_an_attempt_is_counted_once_whatever_ailed_the_others(
    account: Any, shipment: Shipment
) -> None:
    send_callback(account, {"id": "LATER", "status": "lost", "hour": 1})
    for hour in range(4):
        more = {"estimate": 10**30} if hour == 3 else {}
        send_callback(
            account, {"id": shipment.tracking_id, "status": "in_transit", "hour": hour, **more}
        )
    # An account whose events are applied first, and again when another's cannot be.
    earlier = CourierAccountFactory(pk="acc_0", courier=account.courier)
    WebhookEvent.objects.filter(pk=WebhookEvent.objects.earliest("pk").pk).update(account=earlier)
    drained = drain()
    assert (drained.waiting, drained.processed, drained.failed) == (1, 3, 1)
    assert WebhookEvent.objects.earliest("pk").attempts == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_nudges")
def test_a_shipment_that_somebody_holds_does_not_hold_up_the_others(
    account: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processing, "LOCK_WAIT", 100)
    warehouse = account.company.warehouses.get()
    held, *others = (ShipmentFactory(account=account, warehouse=warehouse) for _ in range(5))
    for shipment in (*others, held):
        send_callback(account, {"id": shipment.tracking_id, "status": "in_transit", "hour": 1})
    with other_connection() as holder, holder.transaction():
        table = Shipment._meta.db_table
        holder.execute(f"SELECT FROM {table} WHERE id = %s FOR UPDATE", [held.pk])
        for _ in range(6):  # more often than a fault is forgiven
            WebhookEvent.objects.exclude(state="processed").update(next_attempt_at=timezone.now())
            assert drain().held == 1
    assert Shipment.objects.filter(status="in_transit").count() == 4
    event = WebhookEvent.objects.exclude(state="processed").get()
    assert (event.state, event.attempts) == ("failed", 0)
    assert "holds its shipment" in event.reason
    WebhookEvent.objects.exclude(state="processed").update(next_attempt_at=timezone.now())
    assert drain().processed == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_nudges")
def test_a_repeat_does_not_wait_for_the_worker_that_has_its_event(
    account: Any, shipment: Shipment
) -> None:
    body = {"id": shipment.tracking_id, "status": "in_transit", "hour": 1}
    send_callback(account, body)
    WebhookEvent.objects.update(state="failed")
    with other_connection() as worker, worker.transaction():
        # Who waits for it learns in two seconds that it is gone, and not never.
        worker.execute("SET LOCAL idle_in_transaction_session_timeout = '2s'")
        worker.execute(f"SELECT FROM {WebhookEvent._meta.db_table} FOR UPDATE")
        assert send_callback(account, body) == 200
        assert WebhookEvent.objects.get().state == "failed"
    assert send_callback(account, body) == 200
    assert WebhookEvent.objects.get().state == "pending"


@pytest.mark.django_db(transaction=True)
def test_what_a_process_that_is_gone_left_open_is_ended_by_the_server() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("1min",)
    assert connection.connection.info.get_parameters()["tcp_user_timeout"] == "30000"


@pytest.mark.django_db
@pytest.mark.usefixtures("no_nudges")
def test_events_of_an_account_that_is_gone_are_dead(account: Any, shipment: Shipment) -> None:
    send_callback(account, {"id": "T", "status": "lost", "hour": 1})
    WebhookEvent.objects.update(account_id="acc_gone")
    assert drain().dead == 1
    assert "gone" in WebhookEvent.objects.get().reason


@pytest.mark.django_db
@pytest.mark.usefixtures("no_nudges")
def test_a_repeat_of_a_dead_early_event_waits_a_day_anew(account: Any, shipment: Shipment) -> None:
    early = {"id": "LATER", "status": "lost", "hour": 1}
    send_callback(account, early)
    WebhookEvent.objects.update(received_at=timezone.now() - dt.timedelta(days=2), attempts=5)
    assert drain().dead == 1
    send_callback(account, early)
    assert drain().waiting == 1


@pytest.mark.django_db
@pytest.mark.usefixtures("no_nudges")
@pytest.mark.parametrize("first", [0, 1])
def test_the_same_body_by_the_url_of_recreations_means_more(
    account: Any, shipment: Shipment, first: int
) -> None:
    queries = list(TOPICS_BY_QUERY)
    assert queries[0] == ""
    body = {"id": "T-2", "order": shipment.order_number}
    for query in (queries[first], queries[1 - first], queries[first]):
        assert send_callback(account, body, query) == 200
        drain()
    assert set(WebhookEvent.objects.values_list("topic", flat=True)) == {
        "shipment_created", "shipment_recreated",
    }  # fmt: skip
    former = shipment.tracking_id
    shipment.refresh_from_db()
    assert (shipment.tracking_id, shipment.former_tracking_ids) == ("T-2", [former])
    assert open_flags(shipment) == []


@pytest.mark.django_db
@pytest.mark.usefixtures("no_nudges")
def test_a_tracking_event_stays_one_by_whatever_url_it_came(
    account: Any, shipment: Shipment
) -> None:
    body = {"id": shipment.tracking_id, "status": "lost", "hour": 1}
    send_callback(account, body, "?topic=shipment_recreated")
    send_callback(account, body)
    assert WebhookEvent.objects.get().topic == "track_updated"
