"""An operator in a browser, who logs in and goes by the links of the first page."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.support.factories import make_staff

PASSWORD = "a-password-of-tests"


def log_in(page: Page, *permissions: str) -> None:
    """Log in as a new operator with these permissions, at the admin's first page."""
    user = make_staff("view_shipment", *permissions)
    user.set_password(PASSWORD)
    user.save()
    page.goto("/admin/")
    page.get_by_label("Username").fill(user.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("link", name="Shipments").first).to_be_visible()


def open_row(page: Page, title: str, text: str) -> None:
    """From the first page, open the list with this title, then the row with this text."""
    page.goto("/admin/")
    page.locator("main, #main, body").first.get_by_role("link", name=title, exact=True).last.click()
    page.locator("#result_list").get_by_role("link", name=text, exact=True).first.click()
