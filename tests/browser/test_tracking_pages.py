"""The public tracking pages in Chromium: each state, in both languages, widths and themes.

With SCREENSHOTS set to a folder, each view is stored there as a picture.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from couriers.models import Shipment
from tests.support.looks import problems_of
from tests.support.parcel_states import HISTORIES, make_parcel, make_shop

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PICTURES = os.environ.get("SCREENSHOTS")
LANGUAGES = {"en": "en-IN,en;q=0.9", "hi": "hi-IN,hi;q=0.9,en;q=0.5"}


def look(page: Page, name: str) -> list[str]:
    """What is wrong with the open page; it has a picture where they are asked for."""
    return problems_of(page, Path(PICTURES) if PICTURES else None, name)


def find(page: Page, number: str, pincode: str) -> None:
    """Fill in the form with the keyboard alone."""
    page.locator("#number").focus()
    page.keyboard.type(number)
    page.keyboard.press("Tab")
    page.keyboard.type(pincode)
    page.keyboard.press("Enter")


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_state_of_a_parcel_is_too_wide_or_breaks_a_rule_of_wcag_aa(
    browse: Page, language: str
) -> None:
    browse.set_extra_http_headers({"Accept-Language": LANGUAGES[language]})
    account = make_shop()
    found = []
    for state in HISTORIES:
        shipment = make_parcel(account, state, is_test=state == "booked")
        browse.goto(f"/track/{shipment.pk}/")
        assert browse.locator("html").get_attribute("lang") == language
        found += look(browse, f"{language}-{state}")
    browse.goto("/track/shp_unknown/")
    found += look(browse, f"{language}-unknown")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_form_finds_a_parcel_by_the_keyboard_alone(browse: Page, language: str) -> None:
    browse.set_extra_http_headers({"Accept-Language": LANGUAGES[language]})
    shipment = make_parcel(make_shop(), "out-for-delivery")
    browse.goto("/track/shp_unknown/")
    browse.get_by_role("link").first.click()
    browse.goto("/track/find/kesar/")
    found = look(browse, f"{language}-form")
    find(browse, shipment.order_number, "110001")
    expect(browse.get_by_role("alert")).to_be_visible()
    found += look(browse, f"{language}-form-not-found")
    browse.goto("/track/find/kesar/")
    find(browse, " ", "1100")
    expect(browse.locator("#pincode-error")).to_be_visible()
    found += look(browse, f"{language}-form-invalid")
    browse.goto("/track/find/kesar/")
    find(browse, shipment.order_number, shipment.consignee_pincode)
    expect(browse).to_have_url(f"{browse.url.partition('/track')[0]}/track/{shipment.pk}/")
    expect(browse.get_by_role("heading", level=1)).to_contain_text(shipment.order_number)
    assert not found, "\n".join(found)


def test_it_works_without_javascript_and_nothing_of_it_is_blocked(
    browse: Page, live_server: Any
) -> None:
    shipment: Shipment = make_parcel(make_shop(), "undelivered")
    assert browse.context.browser is not None
    context = browse.context.browser.new_context(
        base_url=live_server.url, java_script_enabled=False, locale="hi-IN",
        viewport={"width": 390, "height": 844},
    )  # fmt: skip
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda one: errors.append(one.text) if one.type == "error" else None)
    images: list[int] = []
    page.on("response", lambda one: images.append(one.status) if "/logos/" in one.url else None)
    page.goto(f"/track/find/{shipment.company.slug}/")
    page.locator("#number").fill(shipment.tracking_id)
    page.locator("#pincode").fill("४११ ००४")  # as a Hindi keyboard types it
    page.get_by_role("button").click()
    expect(page.get_by_text("जब कूरियर आया, वहाँ कोई नहीं था।").first).to_be_visible()
    page.get_by_role("link", name="English").click()
    expect(page.get_by_text("Nobody was there when the courier came.").first).to_be_visible()
    page.get_by_role("link", name="Find another parcel").click()
    expect(page.get_by_role("heading", name="Find your parcel")).to_be_visible()
    assert errors == []
    assert set(images) == {200}
