"""seed_courier sets a company up with any courier, by the fields of its login."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management.base import CommandError

from couriers.contract.errors import LoginUnreadable
from couriers.contract.logins import LoginField
from couriers.contract.registry import CourierFactory
from couriers.contract.types import Limit
from couriers.models import Company, CourierAccount, Warehouse
from couriers.operations.seeding import AccountDetails, variable
from tests.support.commands import run_command, run_json
from tests.support.factories import CompanyFactory, WarehouseFactory
from tests.support.toy import ToyAdapter, ToyReceiver

pytestmark = pytest.mark.django_db
COMPANY = (
    "--company", "acme", "--create", "--name", "Acme", "--gstin", "29AAGCR4375J1ZU",
    "--address", "1 Example Road", "--state", "KA", "--pincode", "560001", "--phone", "9845012345",
)  # fmt: skip
ENVIRONMENT = {
    "BASE_URL": "https://one-key.example/", "API_TOKEN": "token-1", "CLIENT_NAME": "Acme B2C",
    "WEBHOOK_SECRET": "a-secret-of-tests",
}  # fmt: skip


class OneKeyAdapter(ToyAdapter):
    """A courier whose login is one key, and a name that is not needed."""

    code = "one-key"
    name = "One key"
    login_fields = (
        LoginField("api_token", "API token"),
        LoginField("client_name", "Client name", secret=False, required=False),
    )
    login_identity = ("api_token",)
    default_limits = {"create_shipment": Limit(count=1, window=1)}


@pytest.fixture(autouse=True)
def courier(monkeypatch: pytest.MonkeyPatch) -> Any:
    CourierFactory.register(OneKeyAdapter, ToyReceiver())
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(f"ONE_KEY_{name}", value)
    yield OneKeyAdapter
    CourierFactory.unregister("one-key")


def seed(*flags: str) -> dict[str, Any]:
    return run_json("seed_courier", "one-key", *flags)


def test_the_login_is_taken_from_the_variables_of_the_couriers_fields() -> None:
    done = seed(*COMPANY, "--limit", "create_shipment=5/2s")
    account = CourierAccount.objects.get()
    assert done == {
        "company": "acme", "account_id": account.pk, "api_key": done["api_key"],
        "webhook_url": account.webhook_url, "webhook_secret_set": True,
    }  # fmt: skip
    assert f"/webhooks/one-key/{account.pk}/" in done["webhook_url"]
    assert account.login == {"api_token": "token-1", "client_name": "Acme B2C"}
    assert account.base_url == "https://one-key.example"
    assert account.limits == {"create_shipment": {"count": 5, "window": 2}}
    again = seed(*COMPANY)
    assert (again["account_id"], again["api_key"]) == (account.pk, None)


def test_a_field_that_is_not_required_may_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ONE_KEY_CLIENT_NAME")
    seed(*COMPANY)
    assert CourierAccount.objects.get().login == {"api_token": "token-1"}


def test_what_is_missing_or_does_not_fit_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONE_KEY_API_TOKEN", "x" * 2001)
    with pytest.raises(
        CommandError, match=r"^ONE_KEY_API_TOKEN must have at most 2000 characters$"
    ):
        seed(*COMPANY)
    monkeypatch.delenv("ONE_KEY_API_TOKEN")
    monkeypatch.delenv("ONE_KEY_BASE_URL")
    with pytest.raises(
        CommandError, match=r"^set ONE_KEY_BASE_URL, ONE_KEY_API_TOKEN in the environment$"
    ):
        seed(*COMPANY)
    with pytest.raises(CommandError, match=r"unknown courier 'two-keys' .known: .*ekart.*one-key"):
        run_command("seed_courier", "two-keys", *COMPANY)
    assert not Company.objects.exists()


def test_a_limit_is_of_the_couriers_own_operations() -> None:
    with pytest.raises(CommandError, match="known: create_shipment"):
        seed(*COMPANY, "--limit", "add_address=1/1s")


def test_the_login_of_another_company_is_refused_by_the_variables_name() -> None:
    seed(*COMPANY)
    CompanyFactory(slug="bodega")
    with pytest.raises(CommandError, match=r"^ONE_KEY_API_TOKEN: This login is already that of"):
        seed("--company", "bodega")


def test_the_e_mail_address_is_kept_with_the_default_warehouse() -> None:
    seed(*COMPANY, "--email", "gate@acme.example")
    assert Warehouse.objects.get().email == "gate@acme.example"
    seed(*COMPANY, "--email", "other@acme.example")
    assert Warehouse.objects.get().email == "gate@acme.example"
    with pytest.raises(CommandError, match="--email: Enter a valid email address"):
        seed(*COMPANY, "--email", "gate")


def test_a_company_that_exists_gets_the_e_mail_address_that_its_warehouse_lacks() -> None:
    warehouse = WarehouseFactory(company=CompanyFactory(slug="acme"))
    seed("--company", "acme", "--email", "gate@acme.example")
    warehouse.refresh_from_db()
    assert warehouse.email == "gate@acme.example"


def test_two_couriers_of_one_company_share_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CLIENT_ID", "USERNAME", "PASSWORD"):
        monkeypatch.setenv(f"EKART_{name}", "one")
    monkeypatch.setenv("EKART_BASE_URL", "https://api.example")
    assert run_json("seed_courier", "ekart", *COMPANY)["api_key"]
    assert seed(*COMPANY)["api_key"] is None
    assert CourierAccount.objects.count() == 2


def test_the_details_of_an_account_are_not_in_their_repr() -> None:
    details = AccountDetails("https://a.example", {"api_token": "token-1"}, "a-secret")
    assert "token-1" not in repr(details)
    assert "a-secret" not in repr(details)


def test_a_variable_has_no_hyphen() -> None:
    assert variable("one-key", "api_token") == "ONE_KEY_API_TOKEN"


def test_one_of_several_logins_has_to_be_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("api_key", "username", "password")
    fields = tuple(LoginField(name, name, required=False) for name in names)
    monkeypatch.setattr(OneKeyAdapter, "login_fields", fields)
    monkeypatch.setattr(OneKeyAdapter, "login_identity", ("api_key", "username"))
    monkeypatch.setattr(OneKeyAdapter, "login_alternatives", (names[:1], names[1:]))
    needed = "is missing: a login is api_key, or username and password"
    with pytest.raises(CommandError, match=f"^ONE_KEY_API_KEY {needed}$"):
        seed(*COMPANY)
    monkeypatch.setenv("ONE_KEY_USERNAME", "+919845012345")
    with pytest.raises(CommandError, match=f"^ONE_KEY_PASSWORD {needed}$"):
        seed(*COMPANY)
    monkeypatch.setenv("ONE_KEY_PASSWORD", "a-password")
    seed(*COMPANY)
    account = CourierAccount.objects.get()
    assert set(account.login) == {"username", "password"}
    CourierAccount.objects.update(login={"username": "+919845012345"})
    CourierFactory.clear_adapters()
    with pytest.raises(LoginUnreadable, match="lacks password"):
        CourierFactory.get_adapter(CourierAccount.objects.get())
