"""The pages in Chromium under their Content-Security-Policy: nothing of them is blocked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import ConsoleMessage, Page, expect

from couriers.models import Shipment

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PASSWORD = "a-password-of-tests"
NOTE = "document.addEventListener('securitypolicyviolation', e => console.error('blocked: ' + \
e.violatedDirective + ' ' + e.blockedURI + ' ' + e.sourceFile))"


@pytest.fixture
def page(browse: Page, settings: Any) -> Iterator[Page]:
    """A page that fails the test where its console has an error, such as something blocked."""
    settings.WHITENOISE_USE_FINDERS = True
    errors: list[str] = []

    def note(message: ConsoleMessage) -> None:
        # A site without an icon of its own is asked for /favicon.ico.
        if message.type == "error" and "favicon.ico" not in message.location["url"]:
            errors.append(message.text)

    browse.add_init_script(NOTE)
    browse.on("console", note)
    browse.on("pageerror", lambda error: errors.append(str(error)))
    yield browse
    assert errors == []


def test_the_pages_of_the_admin_are_not_blocked(page: Page, shipment: Shipment) -> None:
    user = get_user_model().objects.create_superuser("op", password=PASSWORD)
    page.goto("/admin/")
    page.get_by_label("Username").fill(user.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("link", name="Shipments").first.click()
    page.locator("#result_list").get_by_role("link", name=shipment.order_number).click()
    expect(page.get_by_text(shipment.tracking_id).first).to_be_visible()
    # A form with a list of choices that a request searches.
    page.goto("/admin/shipcrowd_couriers/companyapikey/add/")
    page.locator(".select2-selection").first.click()
    expect(page.get_by_role("option", name=str(shipment.company))).to_be_visible()


def test_the_tracking_page_is_styled(page: Page, shipment: Shipment) -> None:
    # 36rem and 60rem of the pages' own styles.
    for path, width in ((f"/track/{shipment.pk}/", "576px"), ("/problems/validation", "960px")):
        page.goto(path)
        assert page.evaluate("getComputedStyle(document.body).maxWidth") == width, path


def test_the_documentation_reads_the_schema(page: Page) -> None:
    page.goto("/api/docs/")
    expect(page.get_by_text("Shipcrowd").first).to_be_visible()
    operation = page.locator(".opblock").first
    operation.click(timeout=60_000)  # Swagger UI draws the whole schema first
    expect(operation.get_by_role("button", name="Try it out")).to_be_visible(timeout=60_000)
    assert page.evaluate("getComputedStyle(document.body).margin") == "0px"


def test_a_script_of_a_stranger_is_blocked(browse: Page, shipment: Shipment) -> None:
    browse.goto(f"/track/{shipment.pk}/")
    blocked = browse.evaluate(
        """() => new Promise(done => {
            document.addEventListener("securitypolicyviolation", e => done(e.violatedDirective));
            const script = document.createElement("script");
            script.textContent = "window.stolen = true";
            document.body.append(script);
        })"""
    )
    assert blocked.startswith("script-src")
    assert browse.evaluate("window.stolen") is None
