"""An administrator in Chromium finds who did what; a supporter is shown what may be read."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from couriers.models import Shipment
from couriers.operations.decisions import record_decision
from couriers.operations.roles import ADMINISTRATOR, SUPPORT
from tests.support.browser import log_in_as, open_row
from tests.support.roles import staff_of

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


# In the sidebar of administrators alone.
ADMINISTERED = ("API keys", "Courier tokens", "Staff scopes", "Users", "Groups")


def assert_fits(page: Page) -> None:
    """Fail where the page is wider than a telephone."""
    page.set_viewport_size({"width": 390, "height": 844})
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
    page.set_viewport_size({"width": 1280, "height": 900})


def test_a_change_is_found_in_the_trail_and_in_the_history_of_its_row(
    browse: Page, shipment: Shipment
) -> None:
    user = staff_of(ADMINISTRATOR)
    log_in_as(browse, user)
    shown = browse.locator("#nav-sidebar").text_content() or ""
    assert [one for one in ADMINISTERED if one not in shown] == []
    record_decision(
        shipment, user, "clear_flag", "dealt with by phone", {"kind": "second_shipment"},
        before={"open_flags": 2}, after={"open_flags": 1},
    )  # fmt: skip
    open_row(browse, "Warehouses", shipment.warehouse.name)
    browse.locator("#id_name").fill("Gate 2")
    browse.get_by_role("button", name="Save", exact=True).click()
    browse.get_by_role("link", name="Gate 2", exact=True).first.click()
    browse.get_by_role("link", name="History").first.click()
    expect(browse.get_by_text(f"name: {shipment.warehouse.name} → Gate 2")).to_be_visible()
    assert_fits(browse)

    browse.goto("/admin/")
    browse.locator("#nav-sidebar").get_by_role("link", name="Audit trail").click()
    expect(browse.get_by_text("logged in")).to_be_visible()
    browse.get_by_role("searchbox").or_(browse.locator("#searchbar")).first.fill(
        shipment.order_number
    )
    browse.keyboard.press("Enter")
    expect(browse.get_by_text("dealt with by phone")).to_be_visible()
    expect(browse.get_by_text("open flags: 2 → 1")).to_be_visible()
    expect(browse.get_by_text("logged in")).to_have_count(0)
    assert_fits(browse)


def test_a_supporter_is_shown_what_may_be_read_and_nothing_else(
    browse: Page, shipment: Shipment
) -> None:
    log_in_as(browse, staff_of(SUPPORT))
    shown = browse.locator("#nav-sidebar").text_content() or ""
    assert [one for one in ADMINISTERED if one in shown] == []
    open_row(browse, "Warehouses", shipment.warehouse.name)
    expect(browse.get_by_text("9845012345")).to_have_count(0)
    expect(browse.get_by_role("button", name="Save", exact=True)).to_have_count(0)
