"""An operator in Chromium who adds and changes an account, and gives a warehouse's reference."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from couriers.contract.adapter import Capability
from couriers.contract.logins import LoginField
from couriers.models import AuditEntry, CourierAccount, WarehouseRegistration
from tests.support.browser import log_in, open_list, open_row
from tests.support.factories import CompanyFactory, CourierRowFactory, WarehouseFactory

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
ACCOUNTS = ("view_courieraccount", "add_courieraccount", "change_courieraccount", "view_company")


def test_an_account_is_added_and_changed_by_the_fields_of_its_courier(
    browse: Page, toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = (
        LoginField("api_token", "API token", help="From the panel."),
        LoginField("client_name", "Client name", secret=False, required=False),
    )
    monkeypatch.setattr(toy, "login_fields", fields)
    monkeypatch.setattr(toy, "login_identity", ("api_token",))
    CompanyFactory(slug="acme", name="Acme")
    CourierRowFactory(code="toy", name="Toy")
    CourierRowFactory(code="ekart", name="Ekart")
    log_in(browse, *ACCOUNTS)
    open_list(browse, "Courier accounts")
    browse.get_by_role("link", name="Add courier account").first.click()
    expect(browse.get_by_role("link", name="Ekart")).to_be_visible()
    browse.get_by_role("link", name="Toy").click()
    expect(browse.get_by_label("Username")).to_have_count(0)
    browse.locator(".select2-selection").first.click()
    browse.get_by_role("option", name="acme").click()
    browse.get_by_label("Base URL").fill("https://toy.example")
    browse.get_by_label("Client name").fill("Acme B2C")
    token = browse.get_by_label("API token")
    expect(token).to_have_attribute("type", "password")
    browse.get_by_role("button", name="Save", exact=True).click()
    expect(browse.get_by_text("This field is required.")).to_be_visible()
    browse.get_by_label("API token").fill("token-1")
    browse.get_by_role("button", name="Save", exact=True).click()
    expect(browse.get_by_text("was added successfully")).to_be_visible()
    account = CourierAccount.objects.get()
    assert account.login == {"api_token": "token-1", "client_name": "Acme B2C"}

    browse.get_by_role("link", name=account.pk, exact=True).first.click()
    expect(browse.get_by_label("API token")).to_have_value("")
    assert "token-1" not in browse.content()
    browse.get_by_label("Client name").fill("Acme Prepaid")
    browse.get_by_role("button", name="Save", exact=True).click()
    expect(browse.get_by_text("was changed successfully")).to_be_visible()
    account.refresh_from_db()
    assert account.login == {"api_token": "token-1", "client_name": "Acme Prepaid"}


def test_a_courier_s_reference_of_a_warehouse_is_given(
    browse: Page, account: Any, toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toy, "capabilities", toy.capabilities | {Capability.CREATE_WAREHOUSE})
    warehouse = WarehouseFactory(company=account.company, name="North", is_default=False)
    log_in(browse, "view_warehouse", "view_warehouseregistration", "give_reference")
    open_row(browse, "Warehouses", "North")
    browse.get_by_role("link", name="Give a courier's reference").click()
    browse.get_by_label("Reference").fill("WH-7")
    browse.get_by_label("Reason").fill("seen in the panel")
    browse.get_by_role("button", name="Store the reference").click()
    expect(browse.get_by_text("Toy knows North as WH-7.")).to_be_visible()
    known = WarehouseRegistration.objects.get()
    assert (known.warehouse, known.reference, known.state) == (warehouse, "WH-7", "synced")
    open_row(browse, "Warehouse registrations", "North")
    browse.get_by_role("link", name="Give the courier's reference").click()
    expect(browse.get_by_text("known as WH-7")).to_be_visible()
    assert AuditEntry.objects.exclude(action="login").get().action == "give_reference"
