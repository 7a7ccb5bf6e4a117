"""The page of an account: what is typed is checked, and its callbacks are shown."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from couriers.models import CourierAccount
from tests.support.factories import CompanyFactory, CourierAccountFactory, CourierRowFactory

pytestmark = pytest.mark.django_db
NAME = "admin:shipcrowd_couriers_courieraccount"


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


def post(admin: Client, account: CourierAccount | None, **changes: str) -> Any:
    """Send the form of an account, or of a new one, with these changes."""
    form = {
        "base_url": "http://127.0.0.1:9", "login_client_id": "client-1", "rollout": "live",
        "canary_percent": "5", "limits": "{}", "settings": "{}",
    }  # fmt: skip
    if account:
        form["login_client_id"] = account.login["client_id"]
    url = reverse(f"{NAME}_change", args=[account.pk]) if account else reverse(f"{NAME}_add")
    url += f"?courier={changes.pop('courier')}" if "courier" in changes else ""
    return admin.post(url, form | changes)


def errors(answer: Any) -> dict[str, list[str]]:
    assert answer.status_code == 200
    return dict(answer.context["adminform"].form.errors)


def new_account(**changes: str) -> dict[str, str]:
    company, courier = CompanyFactory(), CourierRowFactory()
    login = {"login_username": "u", "login_password": "p"}
    return {"company": str(company.pk), "courier": courier.pk, **login, **changes}


@pytest.mark.parametrize("length", [1, 5, 31])
@pytest.mark.parametrize("name", ["new_webhook_secret", "new_previous_webhook_secret"])
def test_a_webhook_secret_that_the_courier_would_not_take_is_refused_with_the_bounds(
    admin: Client, length: int, name: str
) -> None:
    account = CourierAccountFactory()
    found = errors(post(admin, account, **{name: "s" * length}))
    assert found == {name: ["The secret must have 6 to 30 characters."]}
    account.refresh_from_db()
    assert account.webhook_secrets == ("a-secret-of-tests",)
    assert set(errors(post(admin, None, **new_account(**{name: "s" * length})))) == {name}


@pytest.mark.parametrize("length", [6, 30])
def test_a_webhook_secret_within_the_bounds_is_stored(admin: Client, length: int) -> None:
    assert post(admin, None, **new_account(new_webhook_secret="s" * length)).status_code == 302
    account = CourierAccount.objects.get()
    assert (account.webhook_secret, account.login["username"]) == ("s" * length, "u")
    assert post(admin, account, new_webhook_secret="t" * length).status_code == 302
    account.refresh_from_db()
    assert account.webhook_secret == "t" * length


def test_a_courier_without_bounds_takes_any_secret(admin: Client, account: Any) -> None:
    assert post(admin, account, new_webhook_secret="s").status_code == 302


def test_a_project_that_validates_an_account_is_told_the_bounds() -> None:
    account = CourierAccountFactory.build(
        company=CompanyFactory(), courier=CourierRowFactory(), webhook_secret="short"
    )
    with pytest.raises(ValidationError, match="6 to 30"):
        account.full_clean()


def test_the_login_of_another_account_is_refused_at_its_field(admin: Client) -> None:
    first = CourierAccountFactory(client_id="client-1")
    second = CourierAccountFactory(client_id="client-2")
    assert post(admin, second, login_client_id="client-3").status_code == 302
    for answer in (
        post(admin, second, login_client_id="client-1"),
        post(admin, None, **new_account(login_client_id="CLIENT-1 ")),
    ):
        found = errors(answer)
        assert set(found) == {"login_client_id"}
        assert f"already that of account {first.pk}" in found["login_client_id"][0]
        assert "couriers_one_account" not in answer.content.decode()


def test_a_login_by_an_encrypted_field_is_compared_as_it_is_typed(
    admin: Client, account: Any, monkeypatch: pytest.MonkeyPatch, toy: Any
) -> None:
    monkeypatch.setattr(toy, "login_identity", ("username",))
    account.save()
    typed = new_account(
        courier="toy", login_client_id="other", login_username=account.login["username"]
    )
    found = errors(post(admin, None, **typed))
    assert "already that of account" in found["login_username"][0]


def test_the_page_of_an_account_that_shares_its_login_names_the_other(admin: Client) -> None:
    first, second = CourierAccountFactory(), CourierAccountFactory()
    CourierAccount.objects.filter(pk=second.pk).update(login=first.login, login_fingerprint="")
    page = admin.get(reverse(f"{NAME}_change", args=[second.pk])).content.decode()
    assert f"also that of {first.pk}: give each a login of its own" in page
    assert (
        "also that of" not in admin.get(reverse(f"{NAME}_change", args=[first.pk])).content.decode()
    )
    second.refresh_from_db()
    assert post(admin, second, rollout="off").status_code == 302
