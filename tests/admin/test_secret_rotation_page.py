"""The page that rotates an account's webhook secret."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from couriers.contract.errors import NotSent
from couriers.contract.registry import CourierFactory
from couriers.models import AuditEntry, CourierAccount
from couriers.operations.account_checks import about_callbacks
from tests.support.admin_forms import press, said
from tests.support.admin_links import buttons, row_url
from tests.support.factories import make_staff
from tests.support.registering_toy import RegisteringToy
from tests.support.toy import ToyReceiver

BUTTON = "rotate-secret"
OLD = "a-secret-of-tests"


@pytest.fixture(autouse=True)
def _quickly(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"WEBHOOK_ACCOUNT_CACHE": 0.0}
    monkeypatch.setattr("couriers.admin.companies.webhook_secret.time.sleep", lambda _: None)


@pytest.fixture
def registering(account: CourierAccount, monkeypatch: pytest.MonkeyPatch) -> Any:
    CourierFactory.register(RegisteringToy, ToyReceiver())
    RegisteringToy.told.clear()
    monkeypatch.setattr(RegisteringToy, "forgets", False)
    return RegisteringToy


@pytest.fixture
def operator(client: Client, db: None) -> Any:
    user = make_staff("view_courieraccount", "change_courieraccount")
    client.force_login(user)
    return user


def test_the_secret_is_rotated_once_however_often_the_button_is_pressed(
    client: Client, operator: Any, account: CourierAccount, registering: Any
) -> None:
    url, form = press(client, account, BUTTON)
    assert "has Toy sign with it" in said(client.get(url))
    shown = said(client.post(url, form | {"reason": "a laptop was lost"}, follow=True))
    assert "Toy signs with a new secret from now on." in shown
    account.refresh_from_db()
    new = account.webhook_secret
    assert account.webhook_secrets == (new, OLD)
    assert registering.told[-1][0].secret == new
    assert account.checks.get().about == about_callbacks(account)
    again = said(client.post(url, form | {"reason": "a laptop was lost"}, follow=True))
    assert "has been changed since this page was opened, so nothing was done" in again
    account.refresh_from_db()
    assert account.webhook_secret == new
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.reason) == (
        "rotate_webhook_secret", operator, "a laptop was lost",
    )  # fmt: skip
    assert not {OLD, new} & set(str(entry.details).split("'"))
    assert new not in shown


def test_a_courier_that_is_away_leaves_the_secret(
    client: Client,
    operator: Any,
    account: CourierAccount,
    registering: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(self: Any, webhooks: Any) -> Any:
        raise NotSent("the host did not answer in time")

    monkeypatch.setattr(RegisteringToy, "register_webhooks", away)
    url, form = press(client, account, BUTTON)
    shown = said(client.post(url, form | {"reason": "yearly"}, follow=True))
    assert "Nothing was changed. Toy said: the host did not answer in time." in shown
    account.refresh_from_db()
    assert account.webhook_secrets == (OLD,)
    assert not AuditEntry.objects.exists()


def test_a_secret_that_a_person_must_tell_is_shown_once(
    client: Client, operator: Any, account: CourierAccount
) -> None:
    url, form = press(client, account, BUTTON)
    shown = said(client.post(url, form | {"reason": "yearly"}))
    account.refresh_from_db()
    assert account.webhook_secret != OLD
    assert account.webhook_secret in shown
    assert "x-toy-secret" in shown
    assert account.webhook_secret not in said(client.get(row_url(account)))
    url, form = press(client, account, BUTTON)
    again = said(client.post(url, form | {"reason": "yearly"}, follow=True))
    assert "the former secret is still valid" in again


def test_an_account_without_a_secret_has_none_to_rotate(
    client: Client, operator: Any, account: CourierAccount, registering: Any
) -> None:
    CourierAccount.objects.update(webhook_secret="")
    shown = said(client.get(buttons(client, row_url(account))[BUTTON], follow=True))
    assert "there is none to rotate" in shown
    assert '<form method="post"' not in shown
