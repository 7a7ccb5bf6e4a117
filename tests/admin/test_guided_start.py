"""The guided start: each step says what is so, is done by a button, and may be done again."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from couriers.contract.adapter import Capability
from couriers.contract.errors import NotSent, Rejected
from couriers.contract.registry import CourierFactory
from couriers.contract.types import Pickup
from couriers.contract.types import WarehouseRegistration as Registered
from couriers.models import (
    AuditEntry,
    CheckOutcome,
    Company,
    CourierAccount,
    Shipment,
    StaffScope,
    WarehouseRegistration,
)
from couriers.models.rollout import CourierRollout
from couriers.operations.account_checks import Tried, keep_login
from tests.support.admin_forms import said
from tests.support.admin_links import hrefs, list_url, row_url
from tests.support.drafts import raising
from tests.support.factories import (
    CompanyFactory,
    CourierAccountFactory,
    CourierRowFactory,
    make_staff,
)
from tests.support.rollouts import roll_out
from tests.support.toy import ToyAdapter, ToyReceiver

VIEW = ("view_company", "view_courieraccount")
ADMINISTRATOR = (
    *VIEW, "add_company", "add_courieraccount", "change_courieraccount", "add_warehouse",
    "change_warehouse", "change_rollout", "view_warehouse",
)  # fmt: skip


@pytest.fixture
def administrator(client: Client, db: None) -> Any:
    user = make_staff(*ADMINISTRATOR)
    client.force_login(user)
    return user


def url_of(account: CourierAccount) -> str:
    return reverse("admin:shipcrowd_guided_start", args=[account.company_id])


def steps(client: Client, url: str) -> dict[str, tuple[str, str]]:
    """The state and the words of each step, as the page shows them."""
    page = client.get(url).content.decode()
    found = re.findall(r'<li[^>]*data-step="(\w+)" data-state="(\w+)">(.*?)</li>', page, re.DOTALL)
    return {
        key: (state, " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split()))
        for key, state, text in found
    }


def press(client: Client, account: CourierAccount, do: str, **typed: str) -> str:
    form = {"account": account.pk, "do": do, **typed}
    return said(client.post(url_of(account), form, follow=True))


def test_the_list_of_companies_leads_to_it_before_there_is_a_company(
    client: Client, administrator: Any
) -> None:
    links = hrefs(client.get(list_url(Company)))
    (button,) = [url for url in links if "start-a-company" in url]
    url = client.get(button).headers["Location"]
    found = steps(client, url)
    assert {state for state, _ in found.values()} == {"todo"}
    assert "(next)" in found["company"][1]
    (add,) = [link for link in hrefs(client.get(url)) if "/company/add/" in link]
    form = {"slug": "acme", "name": "Acme", "rate_policy": "{}", "is_active": "on"}
    saved = client.post(add, form)
    assert saved.headers["Location"].endswith("/start/")
    assert steps(client, saved.headers["Location"])["company"][0] == "done"


def test_the_next_step_is_the_first_that_is_not_done(
    client: Client, administrator: Any, account: CourierAccount
) -> None:
    found = steps(client, url_of(account))
    assert list(found) == [
        "company", "account", "login", "warehouse", "callbacks", "test_callback", "trial", "live",
    ]  # fmt: skip
    assert [key for key, (_, text) in found.items() if "(next)" in text] == ["login"]
    # The toy courier has no call that tries a login, so the test shipment shows it.
    assert "has no call that tries a login" in press(client, account, "login")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor) == ("start_login", administrator)
    assert "has no call that tries a login" in entry.details["said"]
    assert steps(client, url_of(account))["login"][0] == "waiting"
    press(client, account, "trial")
    assert steps(client, url_of(account))["login"][0] == "done"


def test_a_login_that_was_changed_since_is_to_be_tested_again(
    client: Client, administrator: Any, account: CourierAccount
) -> None:
    keep_login(account, Tried(CheckOutcome.PASSED, "Toy accepts the login."), administrator)
    assert steps(client, url_of(account))["login"][0] == "done"
    account.login["password"] = "another-password"
    account.save()
    state, text = steps(client, url_of(account))["login"]
    assert state == "todo"
    assert "changed since it was last tested" in text
    keep_login(account, Tried(CheckOutcome.REFUSED, "Toy says: no such user."), administrator)
    state, text = steps(client, url_of(account))["login"]
    assert (state, "Toy says: no such user." in text) == ("failed", True)


def test_a_courier_that_a_person_must_ask_is_said_with_the_addresses(
    client: Client, administrator: Any, account: CourierAccount
) -> None:
    state, text = steps(client, url_of(account))["callbacks"]
    assert state == "waiting"
    assert account.webhook_url in text


def test_the_first_secret_for_such_a_courier_is_made_and_shown_once(
    client: Client, administrator: Any, account: CourierAccount, settings: Any, monkeypatch: Any
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"WEBHOOK_ACCOUNT_CACHE": 0.0}
    monkeypatch.setattr("couriers.admin.companies.webhook_secret.time.sleep", lambda _: None)
    CourierAccount.objects.update(webhook_secret="")
    state, text = steps(client, url_of(account))["callbacks"]
    assert (state, "Make a webhook secret." in text) == ("todo", True)
    page = client.get(url_of(account))
    (make,) = [url for url in hrefs(page) if url.endswith("/secret/")]
    assert 'value="callbacks"' not in page.content.decode()
    form = client.get(make).context["form"]
    shown = client.post(make, {"reason": "to begin", "seen": form.initial["seen"]})
    account.refresh_from_db()
    assert len(account.webhook_secret) > 20
    assert account.webhook_secret in shown.content.decode()
    assert account.webhook_url in shown.content.decode()
    assert account.webhook_secret not in client.get(make).content.decode()
    state, text = steps(client, url_of(account))["callbacks"]
    assert (state, account.webhook_url in text) == ("waiting", True)
    assert AuditEntry.objects.get().action == "rotate_webhook_secret"


def test_a_warehouse_in_doubt_leads_to_giving_its_reference(
    client: Client, administrator: Any, account: CourierAccount, registering: Any
) -> None:
    warehouse = account.company.warehouses.get()
    WarehouseRegistration.objects.create(
        account=account, warehouse=warehouse, state="in_doubt",
        address_hash=warehouse.as_pickup().address.fingerprint(),
    )  # fmt: skip
    client.force_login(make_staff(*ADMINISTRATOR, "give_reference", username="giver"))
    assert "Give the reference" in steps(client, url_of(account))["warehouse"][1]
    (give,) = [url for url in hrefs(client.get(url_of(account))) if "/reference" in url]
    assert client.get(give).status_code == 200


class RegisteringToy(ToyAdapter):
    """A toy courier that knows warehouses by a reference. `problem` is what it answers."""

    registers_warehouses = True
    capabilities = ToyAdapter.capabilities | {Capability.CREATE_WAREHOUSE}
    problem: Exception | None = None

    def create_warehouse(self, pickup: Pickup) -> Registered:
        if self.problem:
            raise self.problem
        return Registered("W-1")


@pytest.fixture
def registering(account: CourierAccount, monkeypatch: pytest.MonkeyPatch) -> Any:
    CourierFactory.register(RegisteringToy, ToyReceiver())
    monkeypatch.setattr(RegisteringToy, "problem", None)
    return RegisteringToy


def test_a_refused_warehouse_says_why_until_it_is_taken(
    client: Client, administrator: Any, account: CourierAccount, registering: Any
) -> None:
    assert steps(client, url_of(account))["warehouse"][0] == "todo"
    registering.problem = Rejected("the pincode is not served")
    assert "the pincode is not served" in press(client, account, "warehouse")
    state, text = steps(client, url_of(account))["warehouse"]
    assert state == "failed"
    assert "the pincode is not served" in text
    registering.problem = NotSent("the host did not answer in time")
    assert "Toy said: the host did not answer in time." in press(client, account, "warehouse")
    assert "could not be asked" in steps(client, url_of(account))["warehouse"][1]
    registering.problem = None
    assert "Toy knows the warehouse as W-1." in press(client, account, "warehouse")
    assert steps(client, url_of(account))["warehouse"][0] == "done"
    account.company.warehouses.update(address="2, New Road")
    assert steps(client, url_of(account))["warehouse"][0] == "todo"
    assert WarehouseRegistration.objects.count() == 1


def test_a_test_shipment_is_booked_once_by_two_who_press(
    client: Client, administrator: Any, account: CourierAccount, toy: Any
) -> None:
    assert "is booked as TOY" in press(client, account, "trial")
    client.force_login(make_staff(*ADMINISTRATOR, username="second"))
    assert "was booked before. Nothing more was booked." in press(client, account, "trial")
    assert len(toy.booked) == 1
    assert "is in transit." in press(client, account, "track")
    assert steps(client, url_of(account))["trial"][0] == "waiting"
    Shipment.objects.update(status="delivered")
    assert steps(client, url_of(account))["trial"][0] == "done"


def test_a_failed_test_shipment_says_why(
    client: Client, administrator: Any, account: CourierAccount, toy: Any
) -> None:
    toy.on_create = raising(Rejected("this pin is not served"))
    assert "Toy said: this pin is not served." in press(client, account, "trial")
    state, text = steps(client, url_of(account))["trial"]
    assert state == "failed"
    assert "this pin is not served" in text


def test_a_real_shipment_is_booked_in_words_and_cancelled_at_once(
    client: Client, administrator: Any, account: CourierAccount, toy: Any
) -> None:
    CourierAccount.objects.update(base_url="https://api.toy.example")
    assert "This is no test server" in said(client.get(url_of(account)))
    assert "Nothing was done: type" in press(client, account, "trial")
    assert toy.booked == []
    done = press(client, account, "trial", confirmation="book a real shipment")
    assert "and its cancellation is asked for." in done
    shipment = Shipment.objects.get()
    assert shipment.status == "cancelled"
    assert shipment.actions.get().asked_by == administrator


def test_live_names_the_company_and_switches_its_account_on(
    client: Client, administrator: Any, account: CourierAccount
) -> None:
    CourierAccount.objects.update(rollout="off")
    roll_out("companies", companies=[CompanyFactory(slug="bharat").slug])
    state, text = steps(client, url_of(account))["live"]
    assert state == "todo"
    assert "it is none of the named companies and its account is off" in text
    assert "must have 1 to 500 characters" in press(client, account, "live")
    assert CourierAccount.objects.get().rollout == "off"
    assert "may book with Toy from now on" in press(client, account, "live", reason="a go")
    assert steps(client, url_of(account))["live"][0] == "done"
    account.courier.refresh_from_db()
    assert account.courier.rollout == CourierRollout.COMPANIES
    assert account.courier.rollout_companies.count() == 2
    assert "may book already. Nothing was changed." in press(client, account, "live", reason="x")
    actions = AuditEntry.objects.filter(reason="a go").values_list("action", flat=True)
    assert set(actions) == {"switch_account", "change_rollout"}


def test_a_company_is_not_let_book_with_a_courier_that_is_off_for_all(
    client: Client, administrator: Any, account: CourierAccount
) -> None:
    roll_out("off")
    assert "Toy is off for every company" in press(client, account, "live", reason="a go")
    account.courier.refresh_from_db()
    assert account.courier.rollout == "off"


def test_an_account_whose_plug_in_is_gone_is_said(client: Client, administrator: Any) -> None:
    gone = CourierRowFactory(code="gone", name="Gone")
    company = CompanyFactory()
    account = CourierAccount.objects.create(
        company=company, courier=gone, base_url="https://gone.example"
    )
    state, text = steps(client, url_of(account))["account"]
    assert (state, "is not installed" in text) == ("failed", True)
    assert press(client, account, "login")


@pytest.mark.parametrize(
    "do", ["login", "warehouse", "callbacks", "test_callback", "trial", "track", "live"]
)
def test_who_may_not_act_is_shown_no_button_and_refused(
    client: Client, account: CourierAccount, toy: Any, do: str
) -> None:
    client.force_login(make_staff(*VIEW))
    assert 'name="do"' not in client.get(url_of(account)).content.decode()
    form = {"account": account.pk, "do": do, "reason": "x"}
    assert client.post(url_of(account), form).status_code == 403
    assert toy.booked == []
    assert set(AuditEntry.objects.values_list("action", flat=True)) == {"refused"}
    client.force_login(make_staff("view_company", username="less"))
    assert client.get(url_of(account)).status_code == 403


def test_who_is_held_to_another_company_finds_nothing(
    client: Client, administrator: Any, account: CourierAccount, toy: Any
) -> None:
    own = CompanyFactory()
    StaffScope.objects.create(user=administrator).companies.add(own)
    assert client.get(url_of(account)).status_code == 404
    form = {"account": account.pk, "do": "trial"}
    assert client.post(url_of(account), form).status_code == 404
    # Nor by its account on the page of a company that they may see.
    CourierAccountFactory(company=own, courier=account.courier)
    url = reverse("admin:shipcrowd_guided_start", args=[own.pk])
    assert client.post(url, form).status_code == 404
    assert toy.booked == []
    assert account.pk not in client.get(row_url(own)).content.decode()
