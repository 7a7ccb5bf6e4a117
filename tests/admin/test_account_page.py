"""The page of an account: what is typed is checked, and its callbacks are shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from couriers.contract.errors import LoginUnreadable
from couriers.contract.logins import LoginField
from couriers.contract.registry import CourierFactory
from couriers.models import Courier, CourierAccount
from couriers.models.fields import readable_or
from tests.support.ciphertext import make_unreadable, stored
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
        form["login_client_id"] = readable_or(account, "login", {}).get("client_id", "")
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


KEY = (
    LoginField("api_token", "API token", help="From the panel."),
    LoginField("client_name", "Client name", secret=False, required=False, help="As registered."),
)
ADD = reverse(f"{NAME}_add")


@pytest.fixture
def one_key(toy: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A courier whose login is one key, and a name that is not needed."""
    monkeypatch.setattr(toy, "login_fields", KEY)
    monkeypatch.setattr(toy, "login_identity", ("api_token",))
    return CourierRowFactory(code="toy", name="Toy")


def keyed(admin: Client, **changes: str) -> CourierAccount:
    """Add an account with the courier of one key, by the form."""
    form = {"company": str(CompanyFactory().pk), "courier": "toy", "login_api_token": "token-1"}
    assert post(admin, None, **form | changes).status_code == 302
    return CourierAccount.objects.latest("created_at")


def test_the_courier_of_a_new_account_is_chosen_first(admin: Client, one_key: Any) -> None:
    CourierRowFactory(code="gone", name="Not installed")
    CourierRowFactory(code="ekart", name="Ekart")
    page = admin.get(f"{ADD}?company=7").content.decode()
    assert 'href="?company=7&amp;courier=toy"' in page
    assert 'href="?company=7&amp;courier=ekart"' in page
    assert "Not installed" not in page
    for unknown in ("gone", "nothing", ""):
        assert "With which courier?".lower() in (
            admin.get(f"{ADD}?courier={unknown}").content.decode().lower()
        )
    assert "seed_couriers" not in page
    Courier.objects.all().delete()
    assert "seed_couriers" in admin.get(ADD).content.decode()


def test_the_form_asks_for_what_the_plug_in_declares(admin: Client, one_key: Any) -> None:
    form = admin.get(f"{ADD}?courier=toy").context["adminform"].form
    token, name = (form.fields[f"login_{field.name}"] for field in KEY)
    assert (token.label, name.label) == ("API token", "Client name")
    assert token.help_text.startswith("From the panel. Stored encrypted")
    assert name.help_text == "As registered."
    assert (token.widget.input_type, name.widget.input_type) == ("password", "text")
    assert "keep the stored value" not in token.help_text
    assert (token.required, name.required) == (True, False)
    assert "login_password" not in form.fields


def test_a_login_is_stored_and_its_secrets_are_kept_and_never_shown(
    admin: Client, one_key: Any
) -> None:
    account = keyed(admin, login_client_name="Acme B2C")
    assert account.login == {"api_token": "token-1", "client_name": "Acme B2C"}
    page = admin.get(reverse(f"{NAME}_change", args=[account.pk])).content.decode()
    assert "Leave it blank to keep the stored value." in page
    assert 'value="Acme B2C"' in page
    assert "token-1" not in page
    assert post(admin, account, login_client_name="").status_code == 302
    account.refresh_from_db()
    assert account.login == {"api_token": "token-1"}
    answer = post(admin, account, login_api_token="token-2", limits="[]")
    assert "token-2" not in answer.content.decode()
    assert post(admin, account, login_api_token="token-2").status_code == 302
    account.refresh_from_db()
    assert account.login == {"api_token": "token-2"}


def test_a_field_that_is_missing_or_too_long_is_refused_at_its_input(
    admin: Client, one_key: Any
) -> None:
    new = {"company": str(CompanyFactory().pk), "courier": "toy"}
    assert errors(post(admin, None, **new)) == {"login_api_token": ["This field is required."]}
    found = errors(post(admin, None, **new, login_api_token="x" * 2001))
    assert "at most 2000 characters" in found["login_api_token"][0]
    assert len(found["login_api_token"]) == 1
    assert not CourierAccount.objects.exists()


def test_a_key_of_another_account_is_refused_at_the_field_that_is_compared(
    admin: Client, one_key: Any
) -> None:
    first = keyed(admin)
    new = {"company": str(CompanyFactory().pk), "courier": "toy", "login_api_token": "TOKEN-1"}
    found = errors(post(admin, None, **new))
    assert set(found) == {"login_api_token"}
    assert f"already that of account {first.pk}" in found["login_api_token"][0]


def test_a_new_base_url_needs_the_secrets_of_the_plug_in_again(admin: Client, one_key: Any) -> None:
    account = keyed(admin, login_client_name="Acme")
    elsewhere = {"base_url": "http://127.0.0.1:10", "login_client_name": "Acme"}
    found = errors(post(admin, account, **elsewhere))
    assert found == {
        "login_api_token": ["Type it again: the stored one belongs to the old base URL."]
    }
    assert post(admin, account, **elsewhere, login_api_token="token-2").status_code == 302


def test_a_login_that_no_key_opens_is_kept_or_typed_as_a_whole(admin: Client, one_key: Any) -> None:
    account = keyed(admin)
    token = make_unreadable(account, "login")
    assert post(admin, account, login_client_id="").status_code == 302
    assert stored(account, "login") == token
    found = errors(post(admin, account, login_client_name="Acme"))
    assert found == {"login_api_token": ["This field is required."]}
    assert post(admin, account, login_api_token="token-2").status_code == 302
    account.refresh_from_db()
    assert account.login == {"api_token": "token-2"}


def test_an_account_whose_plug_in_is_not_installed_keeps_its_login(admin: Client) -> None:
    gone = CourierAccountFactory(courier=CourierRowFactory(code="gone", name="Gone"))
    login = dict(gone.login)
    assert post(admin, gone, settings='{"zone": "south"}').status_code == 302
    gone.refresh_from_db()
    assert (gone.settings, gone.login) == ({"zone": "south"}, login)


def test_the_form_leaves_the_switch_of_bookings(admin: Client, account: CourierAccount) -> None:
    assert post(admin, account, rollout="off", canary_percent="7").status_code == 302
    account.refresh_from_db()
    assert (account.rollout, account.canary_percent) == ("live", 5)


@pytest.mark.parametrize(
    ("login", "words"),
    [
        ({}, "api_token is missing"),
        ({"api_token": "t", "pin": "1"}, "pin is no field of this courier"),
        ({"api_token": 7}, "must be an object of texts"),
        (["t"], "must be an object of texts"),
    ],
)
def test_a_project_that_validates_an_account_is_told_what_is_wrong_with_its_login(
    one_key: Any, login: Any, words: str
) -> None:
    account = CourierAccountFactory.build(company=CompanyFactory(), courier=one_key, login=login)
    with pytest.raises(ValidationError, match=words):
        account.full_clean()


def test_a_call_with_a_login_that_lacks_a_field_is_not_sent(one_key: Any) -> None:
    account = CourierAccountFactory(courier=one_key, login={"client_name": "Acme"})
    with pytest.raises(LoginUnreadable, match="lacks api_token"):
        CourierFactory.get_adapter(account)


def test_a_login_survives_dumpdata_and_loaddata(one_key: Any, tmp_path: Path) -> None:
    account = CourierAccountFactory(courier=one_key, login={"api_token": "t", "client_name": "ä'"})
    dump = tmp_path / "accounts.json"
    call_command("dumpdata", "shipcrowd_couriers.courieraccount", output=str(dump))
    CourierAccount.objects.update(login={})
    call_command("loaddata", str(dump), verbosity=0)
    account.refresh_from_db()
    assert account.login == {"api_token": "t", "client_name": "ä'"}
