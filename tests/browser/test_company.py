"""An administrator in Chromium who starts a company at the real sandbox, and uses the switches."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from couriers.booking.protocol import book
from couriers.contract.errors import CourierDisabled
from couriers.models import AuditEntry, Company, Courier, CourierAccount, Shipment
from couriers.operations.roles import ADMINISTRATOR, OPERATIONS
from sandbox.process import SandboxProcess
from tests.support.browser import log_in_as, open_list, open_row
from tests.support.drafts import DRAFT
from tests.support.factories import CourierAccountFactory, CourierRowFactory
from tests.support.roles import staff_of
from tests.support.sandboxes import sandbox_fixture
from webhooks import tally
from webhooks.processing import process_batch

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
sandbox = sandbox_fixture("--pace", "0.05", "--outcomes", "delivered=100")


@pytest.fixture
def here(live_server: Any, settings: Any) -> None:
    """The public address is that of the test's web server, which learns of secrets at once."""
    settings.SHIPCROWD = settings.SHIPCROWD | {
        "BASE_URL": live_server.url, "WEBHOOK_ACCOUNT_CACHE": 0.0,
    }  # fmt: skip


def step(page: Page, key: str) -> Locator:
    return page.locator(f'[data-step="{key}"]')


def press(page: Page, key: str, button: str) -> None:
    step(page, key).get_by_role("button", name=button, exact=True).click()


def expect_state(page: Page, key: str, state: str) -> None:
    expect(step(page, key)).to_have_attribute("data-state", state)


def add_company(page: Page) -> None:
    open_list(page, "Companies")
    page.get_by_role("link", name="Start a company").click()
    page.get_by_role("link", name="Add the company").click()
    page.get_by_label("Name").fill("Acme Traders")
    page.get_by_label("GSTIN").fill("29AAGCR4375J1ZU")
    page.get_by_label("Address").fill("1, Example Road")
    page.get_by_label("City").fill("Bengaluru")
    page.get_by_label("State").fill("Karnataka")
    page.get_by_label("Pincode").fill("560001")
    page.get_by_role("textbox", name="Phone", exact=True).fill("9845012345")
    page.get_by_role("button", name="Save", exact=True).click()
    expect_state(page, "company", "done")


def add_account(page: Page, base_url: str) -> None:
    """A wrong login is refused and saves nothing; a right one is saved."""
    page.get_by_role("link", name="Add the account").click()
    page.get_by_role("link", name="Ekart").click()
    page.get_by_label("Base URL").fill(base_url)
    page.get_by_label("Client id").fill("sandbox")
    for password in ("wrong-password", "sandbox"):
        page.get_by_label("Username").fill("sandbox")
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Test and save").click()
        if password != "sandbox":
            refusal = "Nothing was saved. Ekart says: the login is refused (HTTP 401)."
            expect(page.get_by_text(refusal)).to_be_visible()
            assert not CourierAccount.objects.exists()
    expect(page.get_by_text("Ekart accepts the login.").first).to_be_visible()
    expect_state(page, "login", "done")


def add_warehouse(page: Page) -> None:
    step(page, "warehouse").get_by_role("link", name="Add the warehouse").click()
    page.locator("#id_name").fill("Main")
    page.get_by_label("Contact name").fill("Main gate")
    page.get_by_label("Phone").fill("9845012345")
    page.get_by_label("Address").fill("1, Example Road")
    page.get_by_label("City").fill("Bengaluru")
    page.get_by_label("State").fill("Karnataka")
    page.get_by_label("Pincode").fill("560001")
    page.get_by_role("button", name="Save", exact=True).click()
    press(page, "warehouse", "Register the warehouse")
    expect_state(page, "warehouse", "done")


def test_a_company_is_started_from_nothing_to_a_delivered_shipment(
    browse: Page, sandbox: SandboxProcess, here: None
) -> None:
    CourierRowFactory(code="ekart", name="Ekart")
    log_in_as(browse, staff_of(ADMINISTRATOR))
    add_company(browse)
    add_account(browse, sandbox.url)
    # Left, and resumed from the company's page.
    open_row(browse, "Companies", "acme-traders")
    browse.get_by_role("link", name="Guided start").first.click()
    add_warehouse(browse)
    press(browse, "callbacks", "Register the callbacks")
    expect_state(browse, "callbacks", "done")
    press(browse, "test_callback", "Send a test callback")
    expect(
        browse.get_by_text("The inbox took a test callback signed with the secret.").first
    ).to_be_visible()
    expect_state(browse, "test_callback", "done")

    press(browse, "trial", "Book the test shipment")
    expect_state(browse, "trial", "waiting")
    assert sandbox.wait_until_finished(20)
    while process_batch().claimed:
        pass
    tally.write()
    browse.get_by_role("link", name="Show what is so now").click()
    expect_state(browse, "trial", "done")
    expect(browse.get_by_text("Ekart itself has sent a callback")).to_be_visible()
    assert Shipment.objects.get().status == "delivered"

    expect_state(browse, "live", "todo")
    step(browse, "live").get_by_label("Reason").fill("the test shipment arrived")
    press(browse, "live", "Let the company book")
    expect(browse.get_by_text("Acme Traders may book with Ekart from now on.")).to_be_visible()
    expect(browse.get_by_text("8 of 8 steps are done.")).to_be_visible()
    assert CourierAccount.objects.get().rollout == "live"


def test_the_secret_is_rotated_by_one_button(
    browse: Page, sandbox: SandboxProcess, here: None
) -> None:
    fast = {"count": 1000, "window": 1}
    limits = dict.fromkeys(("list_webhooks", "add_webhook", "edit_webhook"), fast)
    account = CourierAccountFactory(client_id="sandbox", base_url=sandbox.url, limits=limits)
    log_in_as(browse, staff_of(ADMINISTRATOR))
    open_row(browse, "Courier accounts", account.pk)
    browse.get_by_role("link", name="Rotate the webhook secret").click()
    expect(browse.get_by_text("has Ekart sign with it. Nobody sees it.")).to_be_visible()
    browse.get_by_label("Reason").fill("a laptop was lost")
    browse.get_by_role("button", name="Rotate the secret").click()
    expect(browse.get_by_text("Ekart signs with a new secret from now on.")).to_be_visible()
    account.refresh_from_db()
    assert account.webhook_secrets[1:] == ("a-secret-of-tests",)
    assert account.webhook_secret not in browse.content()


def test_a_courier_is_switched_off_and_on_again(browse: Page, account: Any) -> None:
    log_in_as(browse, staff_of(ADMINISTRATOR))
    open_row(browse, "Couriers", "toy")
    browse.get_by_role("link", name="Switch off").click()
    browse.get_by_label("Reason").fill("parcels are lost")
    browse.get_by_role("button", name="Switch off").click()
    expect(browse.get_by_text("Toy takes no new bookings.")).to_be_visible()
    # The banner, which says it as well, comes some seconds later.
    expect(browse.get_by_text("parcels are lost", exact=True)).to_be_visible()
    with pytest.raises(CourierDisabled):
        book(account.company, DRAFT)
    browse.get_by_role("link", name="Switch on").first.click()
    expect(browse.get_by_text("parcels are lost").first).to_be_visible()
    browse.get_by_label("Reason").fill("they are found")
    browse.get_by_role("button", name="Switch on").click()
    expect(browse.get_by_text("Toy takes new bookings again.")).to_be_visible()
    assert book(account.company, DRAFT).status_code == 201


def test_who_may_not_is_shown_nothing_of_it_and_is_refused(browse: Page, account: Any) -> None:
    log_in_as(browse, staff_of(OPERATIONS))
    open_list(browse, "Companies")
    expect(browse.get_by_role("link", name="Start a company")).to_have_count(0)
    open_row(browse, "Companies", account.company.slug)
    expect(browse.get_by_role("heading", name="Accounts", exact=True)).to_be_visible()
    browse.get_by_role("link", name="Guided start").first.click()
    expect(browse.get_by_role("heading", name="Login tested at the courier")).to_be_visible()
    expect(browse.locator("#steps").get_by_role("button")).to_have_count(0)
    open_row(browse, "Couriers", "toy")
    expect(browse.get_by_role("link", name="Switch off")).to_have_count(0)
    token = browse.context.cookies()[0]["value"]
    cookies = {cookie["name"]: cookie["value"] for cookie in browse.context.cookies()}
    token = cookies["csrftoken"]
    key = account.pk.replace("_", "_5F")
    forged = {
        f"/admin/shipcrowd_couriers/company/{account.company_id}/start/": {"do": "login"},
        "/admin/shipcrowd_couriers/courier/toy/switch/": {"seen": "off", "reason": "x"},
        f"/admin/shipcrowd_couriers/courieraccount/{key}/secret/": {"seen": "x", "reason": "x"},
    }
    for path, form in forged.items():
        answer = browse.request.post(path, form=form | {"csrfmiddlewaretoken": token})
        assert answer.status == 403, path
    assert Courier.objects.get().is_enabled
    entries = AuditEntry.objects.exclude(action="login")
    assert [entry.action for entry in entries] == ["refused"] * len(forged)
    assert Company.objects.count() == 1
