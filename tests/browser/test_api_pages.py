"""The pages of the API's documentation on a laptop and a phone, light and dark.

With SCREENSHOTS set to a folder, each view is stored there as a picture.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.looks import problems_of

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PICTURES = os.environ.get("SCREENSHOTS")
PATIENCE = 60_000  # milliseconds that Swagger UI may take to draw the whole schema
PAGES = {
    "reference": "/api/reference/",
    "operation": "/api/reference/book_shipment/",
    "read-operation": "/api/reference/list_shipments/",
    "staff-operation": "/api/reference/settle_as_booked/",
    "problem": "/problems/order-live",
    "not-found": "/no-such-page/",
    "swagger": "/api/docs/",
}


def test_no_page_is_too_wide_or_breaks_a_rule_of_wcag_aa(browse: Page, settings: Any) -> None:
    settings.WHITENOISE_USE_FINDERS = True
    found = []
    for name, path in PAGES.items():
        browse.goto(path)
        if name == "swagger":
            expect(browse.locator(".opblock").first).to_be_visible(timeout=PATIENCE)
        found += problems_of(browse, Path(PICTURES) if PICTURES else None, name)
    # Of Swagger UI, a library, only the width is ours. The reference shows the same without it.
    ours = [one for one in found if not one.startswith("swagger") or "too wide" in one]
    assert not ours, "\n".join(ours)


def test_a_reader_goes_from_the_index_to_a_problem_without_scripts(browse: Page) -> None:
    browse.route("**/*.js", lambda route: route.abort())
    browse.goto("/api/reference/")
    browse.get_by_role("link", name="Book a shipment").click()
    expect(browse.get_by_role("heading", name="Book a shipment")).to_be_visible()
    browse.get_by_role("link", name="order-live").click()
    expect(browse.get_by_text("A second one would be a second parcel")).to_be_visible()


def test_booking_comes_first_and_staff_last_in_the_page_to_try(browse: Page, settings: Any) -> None:
    settings.WHITENOISE_USE_FINDERS = True
    browse.goto("/api/docs/")
    expect(browse.locator(".opblock").first).to_be_visible(timeout=PATIENCE)
    groups = browse.locator(".opblock-tag").all_text_contents()
    assert groups[0].startswith("Shipments")
    assert groups[-1].startswith("Staff")
    first = browse.locator(".opblock").first
    expect(first).to_contain_text("/api/v1/shipments/")
    expect(first).to_contain_text("POST")
    first.click()
    example = first.get_by_text("Cash on delivery").first
    expect(example).to_be_attached(timeout=PATIENCE)
