"""An operator in a browser, who logs in and goes by the links of the first page."""

from __future__ import annotations

import re

from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect

from tests.support.factories import make_staff

PASSWORD = "a-password-of-tests"
GREEN = "Nothing is left to do here"  # what a work list without rows says


def log_in(page: Page, *permissions: str) -> None:
    """Log in as a new operator with these permissions, at the admin's first page."""
    log_in_as(page, make_staff("view_shipment", *permissions))


def log_in_as(page: Page, user: User) -> None:
    """Log in as the operator, at the admin's first page."""
    user.set_password(PASSWORD)
    user.save()
    page.goto("/admin/")
    page.get_by_label("Username").fill(user.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Today", exact=True)).to_be_visible()
    page.wait_for_load_state("load")  # buttons that are scripts do nothing before


def search_for(page: Page, text: str) -> None:
    """Type the text into the open palette."""
    box = page.get_by_placeholder("Type to search")
    expect(box).to_be_visible()
    box.press_sequentially(text)


def open_list(page: Page, title: str) -> None:
    """From the first page, open the list with this title."""
    page.goto("/admin/")
    page.get_by_text("All lists", exact=True).click()
    page.get_by_role("link", name=title, exact=True).last.click()
    page.wait_for_load_state("load")


def open_row(page: Page, title: str, text: str) -> None:
    """From the first page, open the list with this title, then the row with this text."""
    open_list(page, title)
    page.locator("#result_list").get_by_role("link", name=text, exact=True).first.click()
    page.wait_for_load_state("load")


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def select_all(page: Page) -> Locator:
    return page.get_by_label("Select all rows of the page")


def tile(page: Page, title: str) -> Locator:
    """The link to a work list on the first page, which may have the count in its text."""
    return page.locator("#content").get_by_role("link", name=re.compile(rf"^{title}\b")).first


def open_worklist(page: Page, title: str) -> None:
    """From the first page, open a work list."""
    page.goto("/admin/")
    tile(page, title).click()
