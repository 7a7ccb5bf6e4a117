"""The previous webhook secret ends by itself, in every process and in the table."""

from __future__ import annotations

import datetime as dt
import re
from importlib import import_module
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from couriers.models import CallbackTally, CourierAccount
from couriers.operations.webhook_registration import drop_previous_secret, store_secrets
from shipcrowd.settings import BASE_DIR
from tests.support.callbacks import SECRET, send, send_recreated
from tests.support.commands import run_json
from webhooks import tally

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_dispatch")]
OLD = "the-previous-secret"
DAY = dt.timedelta(days=1)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def clock(account: Any) -> Any:
    """The clock, at the moment in which the account's secret was replaced."""
    with time_machine.travel(timezone.now(), tick=False) as moved:
        store_secrets(account, SECRET, OLD)
        yield moved


def answers(account: Any, secret: str) -> set[int]:
    body = {"id": f"T-{timezone.now().isoformat()}", "secret": secret}
    return {
        send(account, body, secret=secret).status_code,
        send_recreated(account, body, secret=secret).status_code,
    }


def page(account: Any) -> str:
    client = Client()
    user = User.objects.filter(username="root").first() or User.objects.create_superuser("root")
    client.force_login(user)
    url = reverse("admin:shipcrowd_couriers_courieraccount_change", args=[account.pk])
    return client.get(url).content.decode()


def test_it_ends_after_a_day_on_each_path_and_the_current_one_does_not(
    account: Any, clock: Any
) -> None:
    clock.shift(DAY - MINUTE)
    assert (answers(account, OLD), answers(account, SECRET)) == ({200}, {200})
    clock.shift(MINUTE)
    assert (answers(account, OLD), answers(account, SECRET)) == ({401}, {200})


def test_it_ends_in_a_cached_account_without_a_statement(
    account: Any, clock: Any, settings: Any, django_assert_num_queries: Any
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"WEBHOOK_ACCOUNT_CACHE": 1e6}
    assert answers(account, OLD) == {200}
    clock.shift(DAY)
    with django_assert_num_queries(0):
        assert answers(account, OLD) == {401}


def test_its_time_is_a_setting(account: Any, clock: Any, settings: Any) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"WEBHOOK_PREVIOUS_SECRET_SECONDS": 600.0}
    clock.shift(599)
    assert answers(account, OLD) == {200}
    clock.shift(1)
    assert answers(account, OLD) == {401}


def test_without_the_time_it_was_replaced_at_it_is_not_valid(account: Any) -> None:
    CourierAccount.objects.filter(pk=account.pk).update(previous_webhook_secret=OLD)
    assert answers(account, OLD) == {401}


def test_a_refused_callback_that_was_signed_with_it_says_so(account: Any, clock: Any) -> None:
    clock.shift(DAY)
    old = {"id": "T-1"}
    long = "the-previous-secret-of-a-courier"
    store_secrets(account, SECRET, long)
    clock.shift(DAY)
    assert send(account, old, secret=long).status_code == 401
    tally.write()
    assert "previous webhook secret, which has ended" in CallbackTally.objects.get().explanation


def test_a_purge_clears_it_from_the_table_after_its_end(account: Any, clock: Any) -> None:
    clock.shift(DAY - MINUTE)
    assert run_json("purge_expired")["previous_webhook_secrets"] == 0
    clock.shift(MINUTE)
    assert run_json("purge_expired")["previous_webhook_secrets"] == 1
    assert run_json("purge_expired")["previous_webhook_secrets"] == 0
    account.refresh_from_db()
    stored = (account.previous_webhook_secret, account.previous_webhook_secret_at)
    assert stored == ("", None)
    assert account.webhook_secrets == (SECRET,)


def test_the_admin_shows_until_when_it_is_valid(account: Any, clock: Any, settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Kolkata"
    clock.move_to(dt.datetime(2026, 11, 24, 6, 30, tzinfo=dt.UTC))
    store_secrets(account, SECRET, OLD)
    assert "valid until 25 Nov 2026, 12:00 IST" in page(account)
    clock.shift(DAY)
    assert "ended on 25 Nov 2026, 12:00 IST" in page(account)
    drop_previous_secret(account)
    assert "none: only the current one is valid" in page(account)


def test_typed_in_the_admin_its_time_begins_then(account: Any) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    form = {
        "base_url": account.base_url, "login_client_id": account.login["client_id"],
        "rollout": "live", "canary_percent": "5", "limits": "{}", "settings": "{}",
        "new_previous_webhook_secret": OLD,
    }  # fmt: skip
    url = reverse("admin:shipcrowd_couriers_courieraccount_change", args=[account.pk])
    with time_machine.travel(timezone.now(), tick=False) as clock:
        assert client.post(url, form).status_code == 302
        account.refresh_from_db()
        assert account.webhook_secrets == (SECRET, OLD)
        clock.shift(DAY)
        assert account.webhook_secrets == (SECRET,)


def test_one_from_before_the_upgrade_counts_from_the_migration(account: Any) -> None:
    CourierAccount.objects.filter(pk=account.pk).update(previous_webhook_secret=OLD)
    migration = import_module("couriers.migrations.0009_end_of_the_previous_webhook_secret")
    with time_machine.travel(timezone.now(), tick=False) as clock:
        migration.begin_now(apps, None)
        account.refresh_from_db()
        assert account.webhook_secrets == (SECRET, OLD)
        clock.shift(DAY)
        assert account.webhook_secrets == (SECRET,)


def test_one_function_alone_writes_it() -> None:
    """Whoever sets the secret also sets its time."""
    writes = re.compile(r"""(?<!new_)previous_webhook_secret(?:"\] =|\s*=[^=]|": )""")
    found = {
        str(path.relative_to(BASE_DIR))
        for app in ("couriers", "couriers_ekart", "couriers_velocity", "webhooks", "shipcrowd")
        for path in (BASE_DIR / app).rglob("*.py")
        if "migrations" not in path.parts and writes.search(path.read_text())
    }
    assert found == {"couriers/models/account.py"}
