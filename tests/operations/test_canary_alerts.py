"""The alerts that `canary_report` says would have fired, against known rows."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from couriers.models import CallbackTally
from couriers.operations import canary
from couriers.operations.canary_figures import Bookings, Callbacks, OpenDoubts, Senders
from couriers.operations.news import News
from tests.support.canaries import (
    ago,
    make_booking,
    make_callback,
    make_good_canary,
    not_go,
    report,
    value,
)
from tests.support.promtool import rules
from webhooks.models import WebhookEvent


def test_refused_callbacks_are_a_no_go_until_a_good_one_comes(account: Any) -> None:
    make_good_canary(account)
    CallbackTally.objects.update(refused_at=ago(minutes=5), refused_count=7)
    found = report(account, code=1)
    assert value(found, "accounts_refusing_callbacks") == 1
    assert found["callbacks_refused_so_far"] == 7
    assert found["alerts"] == ["CallbacksRefused"]
    CallbackTally.objects.update(accepted_at=ago(minutes=1))
    found = report(account, "--thresholds", "max_alerts=1")
    assert value(found, "accounts_refusing_callbacks") == 0


@pytest.mark.parametrize(
    ("spoil", "alert"),
    [
        (lambda a: CallbackTally.objects.update(accepted_at=ago(days=3)), "CallbacksSilent"),
        (lambda a: CallbackTally.objects.all().delete(), "CallbacksSilent"),
        (lambda a: make_callback(a, ago(hours=1), seconds=61), "InboxBehind"),
        (lambda a: make_callback(a, ago(minutes=2), state="pending"), "InboxBehind"),
        (
            lambda a: [
                make_booking(a, ago(hours=1), outcome="not_done", http_status=429)
                for _ in range(51)
            ],
            "CourierRateLimitExceeded",
        ),
    ],
)
def test_an_alert_that_would_have_fired_is_a_no_go(account: Any, spoil: Any, alert: str) -> None:
    make_good_canary(account)
    spoil(account)
    found = report(account, code=1)
    assert (found["alerts"], not_go(found)) == ([alert], ["alerts"])


def test_a_callback_that_waited_for_its_shipment_was_not_due_all_the_time(account: Any) -> None:
    make_good_canary(account)
    event = make_callback(account, ago(hours=1), seconds=75)
    waiting = make_callback(account, ago(minutes=9), state="failed")
    WebhookEvent.objects.filter(pk=event.pk).update(attempts=4)
    WebhookEvent.objects.filter(pk=waiting.pk).update(next_attempt_at=ago(seconds=1))
    assert report(account)["alerts"] == []


def test_answers_too_fast_that_are_spread_over_the_day_fire_nothing(account: Any) -> None:
    make_good_canary(account)
    for number in range(60):
        at = ago(hours=20) + dt.timedelta(minutes=number)
        make_booking(account, at, outcome="not_done", http_status=429)
    assert report(account)["alerts"] == []


def test_the_report_names_every_alert_that_there_is(account: Any) -> None:
    general = {rule["alert"] for rule in rules() if not rule["alert"].startswith("Ekart")}
    fired = canary.alerts_of(
        Bookings(long_doubts=1, duplicates=1, too_fast=[ago()] * 51), OpenDoubts(0, 0),
        News(due=1, fresh=0), Senders(1, 1, 1, 1), Callbacks(dead=1, longest_due=61),
    )  # fmt: skip
    assert sorted([*fired, *canary.NOT_JUDGED]) == sorted(general)
