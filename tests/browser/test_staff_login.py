"""Staff in Chromium switches the second factor on, logs in with it, and is locked out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django_otp.plugins.otp_totp.models import TOTPDevice
from playwright.sync_api import Page, expect

from tests.support.staff import PASSWORD, code_of

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def show(page: Page, name: str) -> None:
    """Keep a picture of the page where SCREENSHOTS names a folder."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def log_in(page: Page, password: str, code: str = "") -> None:
    page.goto("/admin/login/")
    page.get_by_label("Username").fill("operator")
    page.get_by_label("Password").fill(password)
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Log in").click()


def test_the_second_factor_and_the_lock_out_from_the_first_click_to_the_last(browse: Page) -> None:
    User.objects.create_superuser("operator", password=PASSWORD)
    log_in(browse, PASSWORD)
    expect(browse).to_have_url("/admin/")
    browse.goto("/admin/second-factor/")
    expect(browse.get_by_alt_text("The image for the authenticator app")).to_be_visible()
    assert browse.get_by_alt_text("The image").evaluate("image => image.naturalWidth") > 100
    show(browse, "enrol")
    device = TOTPDevice.objects.get()
    browse.get_by_label("Code").fill(code_of(device, -1))
    browse.get_by_role("button", name="Switch it on").click()
    recovery = browse.locator("#recovery-codes li").all_inner_texts()
    assert len(recovery) == 10
    show(browse, "recovery-codes")
    browse.get_by_role("link", name="to the admin").click()
    expect(browse).to_have_url("/admin/")
    browse.context.clear_cookies()

    log_in(browse, PASSWORD, recovery[0])
    expect(browse).to_have_url("/admin/")
    browse.context.clear_cookies()
    device.refresh_from_db()
    log_in(browse, PASSWORD, code_of(device))
    expect(browse).to_have_url("/admin/")
    browse.context.clear_cookies()

    log_in(browse, PASSWORD, "wrong")
    expect(browse.get_by_text("The user name, the password or the code is wrong")).to_be_visible()
    expect(browse.get_by_label("Password")).to_have_value("")
    expect(browse.get_by_label("Code")).to_have_value("")
    show(browse, "wrong-code")
    for _ in range(4):
        log_in(browse, "a-guess")
    expect(browse.get_by_role("heading", name="Too many failed logins")).to_be_visible()
    show(browse, "locked-out")
    browse.get_by_role("link", name="Back to the login").click()
    expect(browse.get_by_role("button", name="Log in")).to_be_visible()
