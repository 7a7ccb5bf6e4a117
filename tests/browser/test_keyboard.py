"""The admin without a mouse: what is opened by a click is opened by keys."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from couriers.models import Shipment
from couriers.operations.roles import OPERATIONS
from tests.support.browser import log_in_as
from tests.support.roles import staff_of

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

MAX_TABS = 80


@pytest.fixture(autouse=True)
def _styles(settings: Any) -> None:
    settings.WHITENOISE_USE_FINDERS = True


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until the target has the focus."""
    for _ in range(MAX_TABS):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{MAX_TABS} times Tab do not lead to {target}")


def test_a_list_is_filtered_by_keys(browse: Page, shipment: Shipment) -> None:
    log_in_as(browse, staff_of(OPERATIONS))
    browse.get_by_role("link", name="Shipments").first.click()
    filters = browse.get_by_role("button", name="Filters")
    tab_to(browse, filters)
    browse.keyboard.press("Enter")
    panel = browse.locator("#changelist-filter")
    expect(panel).to_be_visible()
    expect(panel.locator(":focus")).to_have_count(1)
    browse.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(filters).to_be_focused()
    browse.keyboard.press("Space")
    link = panel.get_by_role("link", name="Booked", exact=True).first
    tab_to(browse, link)
    browse.keyboard.press("Enter")
    expect(browse).to_have_url(re.compile("status__exact=booked"))


def test_a_user_logs_out_by_keys(browse: Page) -> None:
    user = staff_of(OPERATIONS)
    log_in_as(browse, user)
    tab_to(browse, browse.get_by_role("button", name=user.username))
    browse.keyboard.press("Enter")
    log_out = browse.get_by_role("button", name="Log out")
    expect(log_out).to_be_visible()
    tab_to(browse, log_out)
    browse.keyboard.press("Enter")
    expect(browse.get_by_text("You have been successfully logged out")).to_be_visible()


def test_the_sidebar_of_a_phone_is_opened_by_keys(browse: Page) -> None:
    browse.set_viewport_size({"width": 390, "height": 844})
    log_in_as(browse, staff_of(OPERATIONS))
    opener = browse.get_by_role("button", name="Show or hide the sidebar").first
    tab_to(browse, opener)
    browse.keyboard.press("Enter")
    expect(browse.get_by_role("link", name="Doubts")).to_be_visible()
