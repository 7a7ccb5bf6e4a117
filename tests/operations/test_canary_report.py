"""`manage.py canary_report`: its figures against known rows, its verdicts and its exit codes."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from couriers.management.commands import canary_report
from couriers.models import CallbackTally, CourierCall, Shipment
from couriers.models.flag import FlagKind, raise_flag
from couriers.models.ids import first_shipment_id, new_shipment_id
from couriers.operations import canary_figures
from tests.support.canaries import (
    ago,
    checks_of,
    make_booking,
    make_callback,
    make_good_canary,
    not_go,
    report,
    value,
)
from tests.support.commands import run_command
from tests.support.factories import CompanyFactory, CourierAccountFactory, WarehouseFactory
from webhooks import canary as callback_figures

GO_ANYHOW = ("min_bookings=0", "min_hours=0", "min_callbacks=0", "min_due=0")


def test_a_good_day_is_a_go(account: Any) -> None:
    make_good_canary(account)
    found = report(account)
    assert (found["verdict"], not_go(found), found["alerts"]) == ("go", [], [])
    assert value(found, "bookings") == 60
    assert value(found, "success_rate") == 1
    assert value(found, "booking_p95_seconds") == 0.5
    assert value(found, "callbacks") == 30
    assert value(found, "sync_rate") == 1
    assert 22.9 < value(found, "hours") < 23.1
    slug = account.company.slug
    *lines, last = run_command("canary_report", "--company", slug, "--since", "24h").splitlines()
    assert f"{'bookings':<28} {60:>10}   min_bookings=50: go" in lines
    assert f"{'statuses':<28} 60 booked" in lines
    assert last == f"GO: {slug}"


def test_the_figures_are_those_of_the_rows(account: Any) -> None:
    make_good_canary(account, bookings=90)
    for number in range(6):
        make_booking(account, ago(hours=2), status="failed", outcome="rejected", seconds=4)
        make_callback(account, ago(hours=2), seconds=10 * number)
    make_booking(account, ago(minutes=30), status="in_doubt", outcome="unknown", seconds=9)
    settled = make_booking(account, ago(hours=3), outcome="unknown", seconds=9)
    Shipment.objects.filter(pk=settled.pk).update(booked_at=ago(hours=2.9))
    raise_flag(settled, FlagKind.SECOND_SHIPMENT, tracking_id="T-X")
    raise_flag(settled, FlagKind.LATE_SCANS)
    make_callback(account, ago(hours=1), state="dead")
    oldest = Shipment.objects.filter(status="booked").order_by("pk")[:10]
    Shipment.objects.filter(pk__in=oldest).update(tracked_at=ago(hours=9))
    found = report(account, code=1)
    assert found["statuses"] == {"booked": 91, "failed": 6, "in_doubt": 1}
    assert value(found, "success_rate") == pytest.approx(91 / 97, abs=1e-4)
    assert (found["booking_p50_seconds"], value(found, "booking_p95_seconds")) == (0.5, 4)
    assert (found["callback_p50_seconds"], value(found, "callback_p95_seconds")) == (0.2, 40)
    assert value(found, "doubts") == 1
    assert 1795 < value(found, "oldest_doubt_seconds") < 1900
    assert value(found, "doubt_share") == pytest.approx(2 / 98, abs=1e-4)
    assert value(found, "duplicates") == 1
    assert value(found, "dead_letters") == 1
    assert value(found, "due_shipments") == 78  # booked more than four hours ago
    assert value(found, "sync_rate") == pytest.approx(68 / 78, abs=1e-4)
    assert found["alerts"] == [
        "BookingInDoubtTooLong", "DuplicateBooking", "DeadLettersGrowing",
        "CourierSyncSuccessRateLow",
    ]  # fmt: skip
    assert not_go(found) == [
        "success_rate", "booking_p95_seconds", "callback_p95_seconds", "oldest_doubt_seconds",
        "doubt_share", "duplicates", "dead_letters", "sync_rate", "alerts",
    ]  # fmt: skip


def test_each_figure_beyond_its_threshold_alone_is_a_no_go(account: Any) -> None:
    make_good_canary(account)
    make_booking(account, ago(minutes=5), status="in_doubt", outcome="unknown", seconds=0.5)
    assert not_go(report(account, code=1)) == ["doubt_share"]
    assert not_go(report(account, "--thresholds", "max_doubt_share=0.02")) == []
    found = report(account, "--thresholds", "max_doubt_share=0.02", "max_doubts=0", code=1)
    assert not_go(found) == ["doubts"]
    found = report(account, "--thresholds", "max_doubt_share=0.02", "max_doubt_age=200", code=1)
    assert not_go(found) == ["oldest_doubt_seconds"]


def test_a_lease_that_has_run_out_is_a_doubt(account: Any) -> None:
    make_good_canary(account)
    make_booking(account, ago(minutes=20), status="booking", lease_expires_at=ago(minutes=18))
    found = report(account, code=1)
    assert value(found, "doubts") == 1
    assert "BookingInDoubtTooLong" in found["alerts"]


def test_a_doubt_lasts_from_its_first_lost_answer(account: Any) -> None:
    make_good_canary(account)
    shipment = make_booking(account, ago(hours=3), outcome="unknown", seconds=1)
    CourierCall.objects.create(
        account=account, shipment=shipment, operation="create_shipment", outcome="unknown",
        started_at=ago(hours=2.1), finished_at=ago(hours=2.1),
    )  # fmt: skip
    Shipment.objects.filter(pk=shipment.pk).update(booked_at=ago(hours=2))
    found = report(account, code=1)
    assert value(found, "doubt_share") == pytest.approx(1 / 61, abs=1e-4)
    assert found["alerts"] == ["BookingInDoubtTooLong"]


def test_what_happened_before_the_window_does_not_count(account: Any) -> None:
    make_good_canary(account)
    for _ in range(30):
        make_booking(account, ago(hours=30), status="failed", outcome="rejected", seconds=60)
        make_callback(account, ago(hours=30), seconds=600)
        make_callback(account, ago(hours=30), state="dead")
    assert report(account)["verdict"] == "go"
    assert report(account, since="2d", code=1)["statuses"] == {"booked": 60, "failed": 30}


def test_other_companies_and_couriers_do_not_count(account: Any, other_courier: Any) -> None:
    make_good_canary(account)
    neighbour = CourierAccountFactory(company=CompanyFactory(), courier=account.courier)
    WarehouseFactory(company=neighbour.company)
    for bad in (neighbour, other_courier):
        for _ in range(30):
            make_booking(bad, ago(hours=3), status="in_doubt", outcome="unknown", seconds=60)
            make_callback(bad, ago(hours=3), state="dead")
        CallbackTally.objects.create(account=bad, refused_at=ago(hours=1), refused_count=9)
    assert report(account, "--courier", "toy")["verdict"] == "go"
    both = report(account, code=1)
    assert both["statuses"] == {"booked": 60, "in_doubt": 30}
    slugs = ("--company", account.company.slug, neighbour.company.slug, "--courier", "toy")
    assert report(account, *slugs, code=1)["statuses"] == {"booked": 60, "in_doubt": 30}


@pytest.mark.parametrize(
    ("bookings", "callbacks", "needed"),
    [
        (0, 0, {"bookings": "50 more", "callbacks": "20 more"}),
        (49, 20, {"bookings": "1 more"}),
        (50, 19, {"callbacks": "1 more"}),
    ],
)
def test_too_little_data_is_a_no_go_and_says_how_much_is_needed(
    account: Any, bookings: int, callbacks: int, needed: dict[str, str]
) -> None:
    make_good_canary(account, bookings=bookings, callbacks=callbacks)
    found = report(account, code=1)
    checks = checks_of(found)
    assert found["verdict"] == "no_go"
    assert needed.items() <= {name: check["needed"] for name, check in checks.items()}.items()
    assert {checks[name]["verdict"] for name in needed} == {"not_enough_data"}
    said = run_command("canary_report", "--company", account.company.slug, "--since", "24h", code=1)
    for words in needed.values():
        assert f"not enough data ({words})" in said
    assert said.splitlines()[-1].startswith(f"NO-GO: {account.company.slug}: ")


def test_an_hour_of_bookings_is_too_little(account: Any) -> None:
    for _ in range(60):
        make_booking(account, ago(hours=1))
    for _ in range(30):
        make_callback(account, ago(minutes=50))
    found = report(account, code=1)
    assert not_go(found) == ["hours", "due_shipments", "sync_rate"]
    assert checks_of(found)["hours"]["needed"] == "19 more"
    assert report(account, "--thresholds", "min_hours=0.5", "min_due=0")["verdict"] == "go"


def test_an_operator_can_say_that_nothing_need_be_known(account: Any) -> None:
    assert report(account, "--thresholds", *GO_ANYHOW)["verdict"] == "go"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--company", "nobody", "--since", "24h"), "unknown company 'nobody'"),
        (("--company", "SLUG", "--since", "24h", "--courier", "dhl"), "dhl"),
        (("--company", "SLUG", "--since", "24h", "--courier", "ekart"), "no account with ekart"),
        (("--company", "SLUG", "--since", "yesterday"), "neither like 24h"),
        (("--company", "SLUG", "--since", "2026-13-40T10:00"), "neither like 24h"),
        (("--company", "SLUG", "--since", "0h"), "not in the past"),
        (("--company", "SLUG", "--since", "2999-01-01T00:00Z"), "not in the past"),
        (("--company", "SLUG", "--since", "31d"), "calls are kept for 30 days"),
        (("--company", "SLUG", "--since", "24h", "--thresholds", "max_luck=1"), "max_luck"),
        (("--company", "SLUG", "--since", "24h", "--thresholds", "max_doubts"), "NAME=VALUE"),
        (("--company", "SLUG", "--since", "24h", "--thresholds", "max_doubts=x"), "a number"),
        (("--company", "SLUG", "--since", "24h", "--thresholds", "max_doubts=nan"), "a number"),
        (("--company", "SLUG", "--since", "24h", "--thresholds", "max_doubts=-1"), "a number"),
        (("--company", "SLUG", "--since", "24h", "--thresholds", "min_sync_rate=98"), "0 to 1"),
        (
            ("--company", "SLUG", "--since", "24h", "--thresholds", "max_doubts=1",
             "max_doubts=2"), "stands twice",
        ),
    ],
)  # fmt: skip
def test_wrong_use_has_exit_code_2(account: Any, arguments: tuple[str, ...], words: str) -> None:
    given = [account.company.slug if word == "SLUG" else word for word in arguments]
    with pytest.raises(CommandError, match=words) as caught:
        call_command("canary_report", *given)
    assert caught.value.returncode == 2


@pytest.mark.django_db(transaction=True)
def test_a_postgresql_that_is_too_slow_has_exit_code_3(
    account: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canary_report, "STATEMENT_SECONDS", 1)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute(f"BEGIN; LOCK TABLE {Shipment._meta.db_table}")
            with pytest.raises(CommandError, match="longer than 1 s: choose a later") as caught:
                call_command("canary_report", "--company", account.company.slug, "--since", "24h")
    finally:
        other.close()
    assert caught.value.returncode == 3


def test_a_time_is_taken_as_it_is_written(account: Any) -> None:
    make_good_canary(account)
    since = ago(hours=24).isoformat()
    assert report(account, since=since)["since"] == since


def test_only_a_bounded_number_of_rows_is_read(
    account: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_good_canary(account)
    monkeypatch.setattr(canary_figures, "MAX_BOOKINGS", 55)
    monkeypatch.setattr(canary_figures, "CHUNK", 10)
    monkeypatch.setattr(callback_figures, "MAX_EVENTS", 25)
    found = report(account)
    assert (value(found, "bookings"), value(found, "callbacks")) == (55, 25)
    assert found["bookings_are_a_sample"]
    assert found["callbacks_are_a_sample"]
    assert 22.9 < value(found, "hours") < 23.1  # since the first of all, not of the sample


def test_the_report_reads_by_indexes_alone(account: Any) -> None:
    make_good_canary(account)
    with CaptureQueriesContext(connection) as captured:
        report(account)
    read = [q["sql"] for q in captured if q["sql"].startswith("SELECT")]
    assert len(read) > 8
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for sql in read:
            cursor.execute(f"EXPLAIN {sql}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
            for table in ("shipment", "couriercall", "shipmentflag", "webhookevent"):
                assert f"Seq Scan on shipcrowd_couriers_{table} " not in plan, plan
                assert f"Seq Scan on shipcrowd_webhooks_{table} " not in plan, plan


def test_ids_of_a_time_begin_with_the_first_id_of_it() -> None:
    before = ago(seconds=5)
    made = new_shipment_id()
    assert first_shipment_id(before) < made < first_shipment_id(ago(seconds=-5))
    assert len(first_shipment_id(before)) == len(made)


def test_the_report_changes_nothing(account: Any) -> None:
    make_good_canary(account)
    rows = list(Shipment.objects.order_by("pk").values())
    calls = list(CourierCall.objects.order_by("pk").values())
    report(account)
    assert list(Shipment.objects.order_by("pk").values()) == rows
    assert list(CourierCall.objects.order_by("pk").values()) == calls
