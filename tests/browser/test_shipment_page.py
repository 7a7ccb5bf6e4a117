"""The page of a shipment in Chromium, from the first page: tabs, label, consignee on demand."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from couriers.models import AuditEntry, FlagKind, Scan, Shipment, StoredDocument
from couriers.models.flag import raise_flag
from tests.support.browser import log_in, open_row
from tests.support.toy import PDF

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def parcel(shipment: Shipment, settings: Any, tmp_path: Path) -> Shipment:
    """A parcel on its way with scans, an open flag and a stored label."""
    settings.MEDIA_ROOT = str(tmp_path)
    for number in range(60):
        Scan.objects.create(
            shipment=shipment, tracking_id=shipment.tracking_id, status="in_transit",
            courier_status="In Transit", location=f"Hub {number}",
            at=timezone.now() - dt.timedelta(hours=number + 1),
        )  # fmt: skip
    raise_flag(shipment, FlagKind.LATE_SCANS)
    label = StoredDocument(shipment=shipment, tracking_id=shipment.tracking_id, file="label.sealed")
    (tmp_path / "label.sealed").write_bytes(label.seal(PDF))
    label.save()
    Shipment.objects.update(
        status="in_transit", status_at=timezone.now(), courier_status="In Transit",
        items=[{"name": "T-shirt, blue", "quantity": 2, "value": "56.00"}],
        estimated_delivery=timezone.now() + dt.timedelta(days=2), delivery_attempts=1,
    )  # fmt: skip
    return shipment


def test_support_reads_the_page_of_a_shipment(browse: Page, parcel: Shipment) -> None:
    log_in(browse, "view_consignee", "view_amounts")
    open_row(browse, "Shipments", parcel.order_number)
    expect(browse.locator("#shipment-status")).to_contain_text("In transit", ignore_case=True)
    expect(browse.get_by_text("The courier sent scans after the end")).to_have_count(2)
    expect(browse.locator("#timeline")).to_contain_text("Hub 0")
    browse.get_by_role("link", name="Older", exact=True).click()
    expect(browse.locator("#timeline")).to_contain_text("Hub 59")
    browse.get_by_role("link", name="Flags", exact=True).click()
    expect(browse.locator("#timeline")).to_contain_text("Flag raised")
    expect(browse.locator("#timeline")).not_to_contain_text("Hub")
    for tab, shown in (("Documents", "Label"), ("Money", "₹112.00"), ("Raw", "weight_g")):
        browse.get_by_role("link", name=tab, exact=True).click()
        expect(browse.locator("#content")).to_contain_text(shown)


def test_the_consignee_is_shown_by_its_button(browse: Page, parcel: Shipment) -> None:
    log_in(browse, "view_consignee")
    open_row(browse, "Shipments", parcel.order_number)
    assert "9876543210" not in browse.content()
    browse.get_by_role("button", name="Show phone and address").click()
    expect(browse.locator("#consignee-phone")).to_have_text("9876543210")
    expect(browse.locator("#consignee-address")).to_have_text("9, Secret Lane")
    assert AuditEntry.objects.exclude(action="login").get().action == "show_consignee"
    browse.get_by_role("link", name="History").last.click()
    expect(browse.locator("#history")).to_contain_text("read the phone and the address")
    assert "9876543210" not in browse.content()


def test_who_may_not_has_no_such_buttons(browse: Page, parcel: Shipment) -> None:
    log_in(browse)
    open_row(browse, "Shipments", parcel.order_number)
    for name in ("Show phone and address", "Label", "Money", "Re-attempt", "Cancel"):
        expect(browse.locator("#content").get_by_text(name, exact=True)).to_have_count(0)
