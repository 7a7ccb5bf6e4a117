"""Finding shipments in Chromium, from the first page: by palette, by the list's box, several."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from couriers.models import Shipment, StoredDocument
from couriers.operations.roles import OPERATIONS
from tests.support.browser import log_in, log_in_as, search_for
from tests.support.parcels import make_shipments
from tests.support.roles import staff_of
from tests.support.toy import PDF

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def parcel(shipment: Shipment, account: Any, settings: Any, tmp_path: Path) -> Shipment:
    """A parcel with a phone of its own and a stored label, among others."""
    settings.MEDIA_ROOT = str(tmp_path)
    make_shipments(account, 3, consignee_phone="9000000009", consignee_name="Ravi Kumar")
    label = StoredDocument(shipment=shipment, tracking_id=shipment.tracking_id, file="label.sealed")
    (tmp_path / "label.sealed").write_bytes(label.seal(PDF))
    label.save()
    return shipment


def marked_result(page: Page) -> Locator:
    """The palette's result that Enter opens."""
    return page.locator("#command-results-list li.active")


def open_label(page: Page) -> None:
    with page.expect_response("**/label/") as opened:
        page.get_by_role("link", name="Label", exact=True).click(no_wait_after=True)
    assert (opened.value.status, opened.value.headers["content-type"]) == (200, "application/pdf")


def test_a_label_is_printed_by_phone_with_two_clicks_and_the_keyboard(
    browse: Page, parcel: Shipment
) -> None:
    log_in_as(browse, staff_of(OPERATIONS))
    browse.get_by_role("button", name="Find a shipment").click()
    search_for(browse, "098765 43210")
    expect(marked_result(browse)).to_contain_text(parcel.order_number)
    browse.keyboard.press("Enter")
    expect(browse.locator("#shipment-status")).to_be_visible()
    open_label(browse)


def test_a_label_is_printed_by_phone_from_the_list(browse: Page, parcel: Shipment) -> None:
    log_in_as(browse, staff_of(OPERATIONS))
    browse.get_by_role("link", name="Shipments").first.click()
    browse.get_by_label("Find by order").fill("+91 98765-43210")
    browse.keyboard.press("Enter")
    expect(browse.locator("#shipment-status")).to_be_visible()
    assert "98765" not in browse.url
    open_label(browse)


def test_the_palette_opens_by_the_keyboard_and_says_what_is_not_there(
    browse: Page, parcel: Shipment
) -> None:
    log_in(browse)
    browse.keyboard.press("Control+k")
    search_for(browse, "NOBODY-1")
    expect(marked_result(browse)).to_contain_text("No shipment that you may see")
    browse.keyboard.press("Enter")
    expect(browse.get_by_label("Order numbers, tracking ids")).to_be_visible()


def test_several_are_pasted_and_the_missing_are_named(browse: Page, parcel: Shipment) -> None:
    log_in(browse)
    browse.get_by_role("link", name="Shipments").first.click()
    browse.get_by_role("link", name="Find several").click()
    numbers = [*Shipment.objects.values_list("order_number", flat=True), "NOBODY-1", "NOBODY-2"]
    browse.get_by_label("Order numbers, tracking ids").fill("\n".join(numbers))
    browse.get_by_role("button", name="Find", exact=True).click()
    expect(browse.locator("#found tbody tr")).to_have_count(4)
    expect(browse.locator("#not-found")).to_contain_text("NOBODY-1, NOBODY-2")


def test_a_list_is_exported_as_it_is_searched(browse: Page, parcel: Shipment) -> None:
    log_in(browse, "export_rows")
    browse.get_by_role("link", name="Shipments").first.click()
    browse.get_by_label("Find by order").fill("ravi")
    browse.keyboard.press("Enter")
    expect(browse.locator("#result_list tbody tr")).to_have_count(3)
    browse.get_by_role("link", name="Export").click()
    expect(browse.get_by_text("The file has 3 rows")).to_be_visible()
    with browse.expect_download() as download:
        browse.get_by_role("button", name="Export as CSV").click()
    lines = Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == 4
    assert all("Ravi Kumar" in line for line in lines[1:])
