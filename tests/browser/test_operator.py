"""An operator in Chromium, with just the permissions of the work, who clicks through the lists."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from couriers.booking.protocol import book
from couriers.contract.errors import Unknown
from couriers.models import AuditEntry, CourierCall, FlagKind, Scan, Shipment, StoredDocument
from couriers.models.flag import raise_flag
from tests.support.browser import log_in, open_row
from tests.support.drafts import draft_with, raising
from tests.support.flags import open_flags
from tests.support.toy import PDF
from tests.support.tracked_ids import know_ids

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def make_doubt(account: Any, toy: Any, number: str) -> Shipment:
    """A booking in doubt, whose call is over."""
    toy.on_create = raising(Unknown("read time-out"))
    shipment = book(account.company, draft_with(order_number=number)).shipment
    toy.on_create = None
    long_ago = timezone.now() - dt.timedelta(hours=1)
    CourierCall.objects.update(started_at=long_ago, finished_at=long_ago)
    return shipment


def test_a_doubt_is_settled_as_booked(
    browse: Page, account: Any, toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    know_ids(monkeypatch, toy, {"T-7": "B-2", "T-8": "", "T-9": "A-1"})
    shipment = make_doubt(account, toy, "A-1")
    log_in(browse, "settle_doubt")
    open_row(browse, "Shipments", "A-1")
    browse.get_by_role("link", name="Settle the doubt").click()
    for tracking_id, answer in (
        ("GARBAGE ID!!", "is not known to Toy"),
        ("T-7", "belongs to order B-2 at Toy"),
        ("T-8", "Toy has this id, but does not name its order"),
    ):
        browse.get_by_label("Tracking id").fill(tracking_id)
        browse.get_by_label("Reason").first.fill("seen in the panel")
        browse.get_by_role("button", name="It exists").click()
        expect(browse.get_by_text(answer)).to_be_visible()
    browse.get_by_label("I looked in the courier's panel: it has this id").check()
    browse.get_by_role("button", name="It exists").click()
    expect(browse.get_by_text("Order A-1 is now booked.")).to_be_visible()
    shipment.refresh_from_db()
    assert (shipment.status, shipment.tracking_id) == ("booked", "T-8")
    browse.get_by_role("link", name="Correct the tracking id").click()
    browse.get_by_label("Tracking id").fill("T-9")
    browse.get_by_label("Reason").fill("T-8 was the row below")
    browse.get_by_role("button", name="Correct the tracking id").click()
    expect(browse.get_by_text("Order A-1 is now booked.")).to_be_visible()
    shipment.refresh_from_db()
    assert shipment.tracking_id == "T-9"


def test_a_doubt_is_settled_as_not_booked(browse: Page, account: Any, toy: Any) -> None:
    shipment = make_doubt(account, toy, "A-2")
    log_in(browse, "settle_doubt")
    open_row(browse, "Shipments", "A-2")
    browse.get_by_role("link", name="Settle the doubt").click()
    browse.get_by_label("Reason").last.fill("the panel does not have it")
    browse.get_by_label("I looked in the courier's panel, and the order is not there.").check()
    browse.get_by_role("button", name="Release the order").click()
    expect(browse.get_by_text("Order A-2 is now failed.")).to_be_visible()
    shipment.refresh_from_db()
    assert shipment.status == "failed"


def test_an_end_is_lifted(browse: Page, shipment: Shipment) -> None:
    for hour, status in enumerate(("in_transit", "lost")):
        Scan.objects.create(
            shipment=shipment, status=status, courier_status=status,
            tracking_id=shipment.tracking_id, at=timezone.now() + dt.timedelta(hours=hour),
        )  # fmt: skip
    Shipment.objects.update(status="lost")
    log_in(browse, "lift_status")
    open_row(browse, "Shipments", shipment.order_number)
    browse.get_by_role("link", name="Lift the end").click()
    browse.get_by_label("Reason").fill("it has been found")
    browse.get_by_label("I looked in the courier's panel, and the parcel").check()
    browse.get_by_role("button", name="Lift the end").click()
    expect(browse.get_by_text("is now in transit.")).to_be_visible()
    assert AuditEntry.objects.exclude(action="login").get().action == "lift_status"


def test_a_label_is_opened(browse: Page, shipment: Shipment, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    label = StoredDocument(shipment=shipment, tracking_id=shipment.tracking_id, file="label.sealed")
    (tmp_path / "label.sealed").write_bytes(label.seal(PDF))
    label.save()
    log_in(browse, "view_storeddocument")
    open_row(browse, "Stored documents", shipment.tracking_id)
    with browse.expect_response("**/open/") as opened:
        browse.get_by_role("link", name="Open the document").click(no_wait_after=True)
    assert (opened.value.status, opened.value.headers["content-type"]) == (200, "application/pdf")


def test_a_flag_is_cleared(browse: Page, shipment: Shipment) -> None:
    raise_flag(shipment, FlagKind.SECOND_SHIPMENT, tracking_id="T-99")
    raise_flag(shipment, FlagKind.LATE_SCANS)
    log_in(browse, "view_shipmentflag", "clear_flag")
    sentence = "Second shipment: the courier also has T-99."
    open_row(browse, "Shipment flags", sentence)
    browse.get_by_role("link", name="Clear the flag").click()
    expect(browse.get_by_label(sentence)).to_be_checked()
    browse.get_by_label("Reason").fill("the second parcel was cancelled")
    browse.get_by_role("button", name="Clear the flag").click()
    expect(browse.get_by_text(f"Cleared: {sentence}")).to_be_visible()
    assert [kind for kind, _ in open_flags(shipment)] == ["late_scans"]
    open_row(browse, "Shipments", shipment.order_number)
    browse.get_by_role("link", name="Clear a flag").click()
    browse.get_by_label("Reason").fill("known")
    browse.get_by_role("button", name="Clear the flag").click()
    expect(browse.get_by_text("the next scan raises it again")).to_be_visible()
    assert open_flags(shipment) == []
