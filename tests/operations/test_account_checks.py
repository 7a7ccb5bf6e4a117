"""Trying out an account: its login, the registration of its callbacks, and a test callback."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from couriers.contract.errors import Rejected
from couriers.models import CallbackTally, CourierAccount
from couriers.models.transactions import InsideTransaction
from couriers.operations.account_checks import (
    about_callbacks,
    about_login,
    check_login,
    register_callbacks,
    send_test_callback,
    try_login,
)
from sandbox.process import SandboxProcess
from tests.support.callbacks import callback_path
from tests.support.drafts import raising
from tests.support.factories import CourierAccountFactory, make_staff
from tests.support.sandboxes import sandbox_fixture
from webhooks import accounts, tally
from webhooks.models import WebhookEvent
from webhooks.own_callback import answer_to_test

sandbox = sandbox_fixture("--hold", scope="module")


@pytest.fixture
def ekart(sandbox: SandboxProcess, db: None) -> CourierAccount:
    return CourierAccountFactory(client_id="sandbox", base_url=sandbox.url)


def test_the_last_try_of_a_login_is_kept_with_who_made_it(ekart: CourierAccount) -> None:
    actor = make_staff()
    check = check_login(ekart, actor)
    assert (check.outcome, check.said, check.actor) == ("passed", "Ekart accepts the login.", actor)
    assert check.about == about_login(ekart)
    ekart.login["password"] = "another-password"
    assert check.about != about_login(ekart)
    again = check_login(ekart, None)
    assert (again.pk, again.outcome) == (check.pk, "refused")
    assert again.said == "Ekart says: the login is refused (HTTP 401)."


def test_a_courier_that_is_away_says_nothing_of_the_login(db: None) -> None:
    tried = try_login(CourierAccountFactory())
    assert tried.outcome == "no_answer"
    assert tried.said.startswith("Ekart could not be asked: ")


def test_a_fault_of_the_plug_in_is_no_answer(account: Any, toy: Any) -> None:
    toy.check_login = raising(RuntimeError("boom"))
    try:
        assert try_login(account).outcome == "no_answer"
        toy.check_login = raising(Rejected("the account is closed"))
        assert try_login(account).said == "Toy says: the account is closed."
    finally:
        del toy.check_login


def test_a_courier_without_a_call_for_it_is_said(account: Any) -> None:
    tried = try_login(account)
    assert (tried.outcome, tried.passed) == ("not_offered", False)


def test_callbacks_are_registered_and_known_to_be_so_until_the_secret_changes(
    ekart: CourierAccount, sandbox: SandboxProcess
) -> None:
    check = register_callbacks(ekart, None)
    assert (check.outcome, check.said) == (
        "passed", f"Ekart sends callbacks to {ekart.webhook_url}.",
    )  # fmt: skip
    assert check.about == about_callbacks(ekart)
    ekart.webhook_secret = "another-secret"
    assert check.about != about_callbacks(ekart)


def test_a_refused_registration_says_why(ekart: CourierAccount) -> None:
    ekart.login["password"] = "wrong-password"
    assert register_callbacks(ekart, None).said == "Ekart says: the login is refused (HTTP 401)."


def test_a_person_registers_where_the_courier_has_no_call(account: Any) -> None:
    assert register_callbacks(account, None).outcome == "not_offered"


@pytest.fixture
def here(live_server: Any, settings: Any) -> str:
    settings.SHIPCROWD = settings.SHIPCROWD | {"BASE_URL": live_server.url}
    return str(live_server.url)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("courier", ["ekart", "toy"])
def test_a_test_callback_is_taken_and_neither_stored_nor_counted(
    here: str, account: Any, courier: str
) -> None:
    tested = account if courier == "toy" else CourierAccountFactory()
    check = send_test_callback(tested, None)
    assert (check.outcome, check.about) == ("passed", about_callbacks(tested))
    assert not WebhookEvent.objects.exists()
    assert not CallbackTally.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_test_callback_with_a_secret_that_the_inbox_does_not_know_is_refused(
    here: str, account: Any
) -> None:
    accounts.find_account(account.pk)
    account.webhook_secret = "changed-just-now"
    assert "The inbox refused the signature" in send_test_callback(account, None).said
    tally.write()
    assert not CallbackTally.objects.exists(), "it looks as if the courier's are refused"


def test_an_address_where_nothing_answers_is_said(account: Any, settings: Any) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"BASE_URL": "http://127.0.0.1:9"}
    assert send_test_callback(account, None).outcome == "no_answer"


def test_an_unsigned_test_callback_is_refused(account: Any) -> None:
    body = b'{"shipcrowd_test": "%s"}' % (b"a" * 32)
    answer = Client().post(callback_path(account), body, content_type="application/json")
    assert answer.status_code == 401
    assert answer_to_test(body)
    assert answer_to_test(b'{"shipcrowd_test": "x"}') is None


@pytest.mark.django_db(transaction=True)
def test_no_courier_is_called_inside_a_transaction(account: Any) -> None:
    for call in (try_login, lambda one: register_callbacks(one, None)):
        with transaction.atomic(), pytest.raises(InsideTransaction):
            call(account)
