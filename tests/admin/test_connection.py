"""A typed login is tried at the courier before it is saved; a stored one on its own button."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from couriers.models import AccountCheck, Company, CourierAccount, CourierToken
from sandbox.process import SandboxProcess
from tests.support.admin_links import row_url
from tests.support.factories import (
    CompanyFactory,
    CourierAccountFactory,
    CourierRowFactory,
    make_staff,
)
from tests.support.sandboxes import sandbox_fixture

pytestmark = pytest.mark.django_db
sandbox = sandbox_fixture("--hold", "--record", scope="module")
NAME = "admin:shipcrowd_couriers_courieraccount"
BUTTON = {"shipcrowd_couriers_courieraccount_test_and_save": "Test and save"}
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def operator(client: Client) -> Client:
    permissions = ("view_courieraccount", "add_courieraccount", "change_courieraccount")
    client.force_login(make_staff(*permissions, "view_company"))
    return client


def form_of(company: Company, base_url: str, password: str) -> dict[str, str]:
    return {
        "company": str(company.pk), "base_url": base_url, "login_client_id": "sandbox",
        "login_username": "sandbox", "login_password": password, "rollout": "live",
        "canary_percent": "5", "limits": "{}", "settings": "{}", **BUTTON,
    }  # fmt: skip


def add(client: Client, base_url: str, password: str) -> Any:
    courier = CourierRowFactory()
    url = f"{reverse(f'{NAME}_add')}?courier={courier.pk}"
    assert "Test and save" in client.get(url).content.decode()
    return client.post(url, form_of(CompanyFactory(), base_url, password), follow=True)


def words(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def test_a_wrong_login_says_what_the_courier_said_and_saves_nothing(
    operator: Client, sandbox: SandboxProcess
) -> None:
    shown = words(add(operator, sandbox.url, "wrong-password"))
    assert "Nothing was saved. Ekart says: the login is refused (HTTP 401)." in shown
    assert "wrong-password" not in shown
    assert not CourierAccount.objects.exists()
    assert not AccountCheck.objects.exists()


def test_a_right_login_is_saved_and_said_to_be_right(
    operator: Client, sandbox: SandboxProcess
) -> None:
    assert "Ekart accepts the login." in words(add(operator, sandbox.url, "sandbox"))
    check = CourierAccount.objects.get().checks.get()
    assert (check.kind, check.outcome) == ("login", "passed")
    assert not CourierToken.objects.exists()


def test_a_courier_that_is_away_is_said_and_nothing_is_saved(operator: Client) -> None:
    shown = words(add(operator, NOBODY, "sandbox"))
    assert "Nothing was saved. Ekart could not be asked: " in shown
    assert not CourierAccount.objects.exists()


def test_a_changed_login_that_is_refused_keeps_the_stored_one(
    operator: Client, sandbox: SandboxProcess
) -> None:
    account = CourierAccountFactory(client_id="sandbox", base_url=sandbox.url)
    url = row_url(account)
    assert "Test and save" in words(operator.get(url))
    form = form_of(account.company, sandbox.url, "wrong-password")
    assert "Ekart says: the login is refused" in words(operator.post(url, form))
    account.refresh_from_db()
    assert account.login["password"] == "sandbox"
    assert operator.post(url, form | {"login_password": "sandbox"}).status_code == 302
    assert account.checks.get().outcome == "passed"


def test_who_may_not_save_may_not_have_the_courier_asked(
    client: Client, sandbox: SandboxProcess
) -> None:
    client.force_login(make_staff("view_courieraccount"))
    account = CourierAccountFactory(client_id="sandbox", base_url=sandbox.url)
    url = reverse(f"{NAME}_change", args=[account.pk])
    assert "Test and save" not in client.get(url).content.decode()
    calls = sandbox.state()["calls"]
    answer = client.post(url, form_of(account.company, sandbox.url, "sandbox"))
    assert answer.status_code == 403
    assert sandbox.state()["calls"] == calls
