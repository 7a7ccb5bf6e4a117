"""Every work list from red to green, by clicking from the first page, as Operations."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from couriers import tasks
from couriers.booking.bulk_jobs import OrderRequest, create_job
from couriers.booking.protocol import book
from couriers.contract import india
from couriers.contract.errors import CircuitOpen, CourierDisabled, Unknown
from couriers.contract.types import WarehouseRegistration as Registered
from couriers.fulfilment.actions import request_reattempt
from couriers.models import (
    BulkOrder,
    CourierCall,
    FlagKind,
    Manifest,
    ManifestChunk,
    OperatorJob,
    OperatorJobItem,
    Scan,
    Shipment,
    ShipmentAction,
    WarehouseRegistration,
)
from couriers.models.asked import Asker
from couriers.models.flag import raise_flag
from couriers.operations.roles import OPERATIONS, SUPPORT
from tests.support.browser import GREEN, button, log_in_as, open_worklist, select_all, tile
from tests.support.browser import open_list as open_model
from tests.support.drafts import draft_with, raising
from tests.support.factories import ShipmentFactory
from tests.support.roles import staff_of
from webhooks.models import WebhookEvent

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

SHOTS = os.environ.get("SCREENSHOTS")


class Clicks:
    """Counts the clicks of an operator."""

    def __init__(self) -> None:
        self.count = 0

    def on(self, target: Locator) -> None:
        target.click()
        self.count += 1


@pytest.fixture(autouse=True)
def _styles(settings: Any) -> None:
    settings.WHITENOISE_USE_FINDERS = True


def shoot(page: Page, name: str) -> None:
    """Check that the page fits, wide and narrow. Pictures go to SCREENSHOTS, where it is set."""
    for width, height in ((1280, 900), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert overflow <= 0, f"{name} overflows by {overflow} px at {width} px"
        for theme in ("light", "dark") if SHOTS else ():
            page.evaluate("dark => document.documentElement.classList.toggle('dark', dark)",
                          theme == "dark")  # fmt: skip
            file = Path(str(SHOTS)) / f"{name}-{width}-{theme}.png"
            page.screenshot(path=str(file), full_page=True)
    page.set_viewport_size({"width": 1280, "height": 900})


def undelivered(account: Any, count: int) -> list[Shipment]:
    return ShipmentFactory.create_batch(
        count, account=account, warehouse=account.company.warehouses.get(), status="undelivered",
        status_at=timezone.now() - dt.timedelta(days=1), ndr_reason="door locked",
        delivery_attempts=1,
    )  # fmt: skip


def test_ten_ndrs_are_reattempted_in_four_clicks(browse: Page, account: Any, able: Any) -> None:
    rows = undelivered(account, 10)
    Scan.objects.create(
        shipment=rows[0], at=timezone.now(), courier_status="undelivered",
        description="Consignee not available",
    )  # fmt: skip
    log_in_as(browse, staff_of(OPERATIONS))
    clicks = Clicks()
    clicks.on(tile(browse, "NDR"))
    shoot(browse, "ndr")
    clicks.on(select_all(browse))
    clicks.on(button(browse, "Re-attempt"))
    expect(browse.get_by_text("It is done for 10 shipments")).to_be_visible()
    shoot(browse, "reattempt")
    clicks.on(button(browse, "Confirm: re-attempt 10 shipments"))
    expect(browse.get_by_text("0 of 10 ended")).to_be_visible()
    assert clicks.count <= 4
    tasks.run_operator_job(OperatorJob.objects.get().pk)
    expect(browse.get_by_text("10 of 10 ended")).to_be_visible()  # the page reads it anew
    shoot(browse, "job")
    assert [name for name, _ in able.asked] == ["request_reattempt"] * 10
    Shipment.objects.update(status="out_for_delivery")
    open_worklist(browse, "NDR")
    expect(browse.get_by_text(GREEN)).to_be_visible()
    shoot(browse, "green")
    open_model(browse, "Jobs of operators")
    browse.get_by_role("link", name="Open", exact=True).click()
    with browse.expect_download() as download:
        browse.get_by_role("link", name="Report as CSV").click()
    report = Path(download.value.path()).read_text().splitlines()
    assert report[0].startswith("order_number,")
    assert len(report) == 11


def test_a_doubt_is_settled_in_three_clicks(browse: Page, account: Any, toy: Any) -> None:
    toy.on_create = raising(Unknown("read time-out"))
    shipment = book(account.company, draft_with(order_number="A-2")).shipment
    toy.on_create = None
    long_ago = timezone.now() - dt.timedelta(hours=1)
    CourierCall.objects.update(started_at=long_ago, finished_at=long_ago)
    log_in_as(browse, staff_of(OPERATIONS))
    clicks = Clicks()
    clicks.on(browse.locator("#content").get_by_role("link", name="All 1 in doubt"))
    shoot(browse, "doubts")
    clicks.on(browse.get_by_role("link", name="Settle", exact=True))
    browse.get_by_label("Reason").last.fill("the panel does not have it")
    browse.get_by_label("I looked in the courier's panel, and the order is not there.").check()
    clicks.on(button(browse, "Release the order"))
    expect(browse.get_by_text("Order A-2 is now failed.")).to_be_visible()
    assert clicks.count <= 3
    shipment.refresh_from_db()
    assert shipment.status == "failed"
    open_worklist(browse, "All 0 in doubt")
    expect(browse.get_by_text(GREEN)).to_be_visible()


def test_what_was_not_picked_gets_a_day(browse: Page, account: Any, able: Any) -> None:
    shipment = ShipmentFactory(
        account=account, warehouse=account.company.warehouses.get(), status="not_picked",
        status_at=timezone.now(),
    )  # fmt: skip
    log_in_as(browse, staff_of(OPERATIONS))
    open_worklist(browse, "Not picked")
    select_all(browse).check()
    button(browse, "Set the day of pickup").click()
    button(browse, "Confirm: set the day of pickup").click()
    expect(
        browse.get_by_text(f"Set the day of pickup, order {shipment.order_number}: done.")
    ).to_be_visible()
    Shipment.objects.update(status="picked_up")
    browse.reload()
    expect(browse.get_by_text(GREEN)).to_be_visible()


def test_flags_are_cleared(browse: Page, shipment: Shipment) -> None:
    raise_flag(shipment, FlagKind.LATE_ANSWER)
    raise_flag(shipment, FlagKind.OTHER_ORDER, tracking_id="T-1", order_number="B-1")
    log_in_as(browse, staff_of(OPERATIONS))
    open_worklist(browse, "Flags")
    shoot(browse, "flags")
    select_all(browse).check()
    button(browse, "Clear").click()
    shoot(browse, "clear")
    browse.get_by_label("Reason").fill("asked the courier")
    button(browse, "Confirm: clear").click()
    expect(browse.get_by_text("2 cleared.")).to_be_visible()
    expect(browse.get_by_text(GREEN)).to_be_visible()


def test_dead_callbacks_are_replayed(browse: Page, account: Any) -> None:
    WebhookEvent.objects.create(
        account=account, content_hash=b"1", state="dead", next_attempt_at=timezone.now(),
        received_at=timezone.now(), body=b"{}", reason="no such shipment",
    )  # fmt: skip
    log_in_as(browse, staff_of(OPERATIONS))
    open_worklist(browse, "Dead callbacks")
    select_all(browse).check()
    button(browse, "Replay").click()
    button(browse, "Confirm: replay").click()
    expect(browse.get_by_text("1 callback replayed.")).to_be_visible()
    expect(browse.get_by_text(GREEN)).to_be_visible()


def test_failed_chunks_are_made_again(browse: Page, account: Any, able: Any) -> None:
    manifest = Manifest.objects.create(company=account.company, account=account, state="failed")
    ManifestChunk.objects.create(
        manifest=manifest, position=1, tracking_ids=["T1"], state="failed", reason="HTTP 500",
        finished_at=timezone.now(),
    )  # fmt: skip
    log_in_as(browse, staff_of(OPERATIONS))
    open_worklist(browse, "Manifest chunks failed")
    select_all(browse).check()
    button(browse, "Retry").click()
    button(browse, "Confirm: retry").click()
    expect(browse.get_by_text("1 being made again.")).to_be_visible()
    expect(browse.get_by_text(GREEN)).to_be_visible()
    tasks.sweep_manifests()
    assert ManifestChunk.objects.get().state == "done"


def test_failed_registrations_are_tried_again(
    browse: Page, account: Any, able: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(able, "registers_warehouses", True)
    monkeypatch.setattr(able, "create_warehouse", lambda self, pickup: Registered("W-9"))
    WarehouseRegistration.objects.create(
        account=account, warehouse=account.company.warehouses.get(), state="failed", reason="no"
    )
    log_in_as(browse, staff_of(OPERATIONS))
    open_worklist(browse, "Warehouse registrations failed")
    select_all(browse).check()
    button(browse, "Retry").click()
    button(browse, "Confirm: retry").click()
    expect(browse.get_by_text("1 registered.")).to_be_visible()
    expect(browse.get_by_text(GREEN)).to_be_visible()


def test_an_action_without_an_end_is_settled(browse: Page, account: Any, able: Any) -> None:
    [shipment] = undelivered(account, 1)
    ShipmentAction.objects.create(
        shipment=shipment, kind="rto", state="unknown", outcome="unknown", ended_at=timezone.now()
    )
    log_in_as(browse, staff_of(OPERATIONS))
    open_worklist(browse, "Actions without an end")
    select_all(browse).check()
    button(browse, "It was not done").click()
    browse.get_by_label("Reason").fill("the courier says so")
    button(browse, "Confirm: it was not done").click()
    expect(browse.get_by_text("1 settled.")).to_be_visible()
    expect(browse.get_by_text(GREEN)).to_be_visible()


def test_an_unknown_status_is_mapped_once_the_plug_in_knows_it(
    browse: Page, shipment: Shipment, able: Any
) -> None:
    Scan.objects.create(shipment=shipment, at=timezone.now(), courier_status="in_transit")
    log_in_as(browse, staff_of(OPERATIONS))
    open_worklist(browse, "Unknown statuses")
    select_all(browse).check()
    button(browse, "Map again").click()
    button(browse, "Confirm: map again").click()
    expect(browse.get_by_text("1 known now.")).to_be_visible()
    expect(browse.get_by_text(GREEN)).to_be_visible()


def test_failed_bulk_orders_are_booked_again(browse: Page, account: Any, toy: Any) -> None:
    create_job(account.company, [OrderRequest.of(draft_with(order_number="B-7"))])
    toy.on_create = raising(CourierDisabled("switched off"))
    tasks.run_bulk()
    toy.on_create = None
    log_in_as(browse, staff_of(OPERATIONS))
    open_worklist(browse, "Bulk orders failed")
    expect(browse.get_by_text("switched off")).to_be_visible()
    select_all(browse).check()
    button(browse, "Retry").click()
    button(browse, "Confirm: retry").click()
    expect(browse.get_by_text("1 being booked again.")).to_be_visible()
    expect(browse.get_by_text(GREEN)).to_be_visible()
    tasks.run_bulk()
    order = BulkOrder.objects.get()
    assert (order.outcome, order.request) == ("booked", "")


def test_an_action_waits_while_the_courier_is_away(browse: Page, account: Any, able: Any) -> None:
    undelivered(account, 1)
    able.on_call["request_rto"] = raising(CircuitOpen("the courier has been failing"))
    log_in_as(browse, staff_of(OPERATIONS))
    open_worklist(browse, "NDR")
    select_all(browse).check()
    button(browse, "Return to origin").click()
    button(browse, "Confirm: return to origin").click()
    expect(browse.get_by_text("0 of 1 ended")).to_be_visible()
    expect(browse.get_by_text("Tried 1 time")).to_be_visible()
    shoot(browse, "waiting")
    able.on_call.clear()
    OperatorJobItem.objects.update(next_attempt_at=timezone.now())
    tasks.run_operator_job(OperatorJob.objects.get().pk)
    expect(browse.get_by_text("1 of 1 ended")).to_be_visible()


def test_two_people_with_the_same_page(browse: Page, account: Any, able: Any) -> None:
    [shipment] = undelivered(account, 1)
    anita = staff_of(OPERATIONS, "anita")
    log_in_as(browse, staff_of(OPERATIONS))
    open_worklist(browse, "NDR")
    select_all(browse).check()
    button(browse, "Re-attempt").click()
    reattempt_as(anita, shipment)
    button(browse, "Confirm: re-attempt").click()
    expect(browse.get_by_text("Nothing was done: the shipment has changed")).to_be_visible()
    expect(browse.get_by_text("anita: another delivery attempt")).to_be_visible()
    shoot(browse, "changed")
    assert len(able.asked) == 1
    button(browse, "Confirm: re-attempt").click()
    expect(browse.get_by_text(f"Re-attempt, order {shipment.order_number}: done.")).to_be_visible()
    assert len(able.asked) == 2


def reattempt_as(user: User, shipment: Shipment) -> None:
    request_reattempt(shipment, india.today() + dt.timedelta(days=1), by=Asker(user=user))


def test_a_reader_has_no_buttons(browse: Page, account: Any) -> None:
    undelivered(account, 1)
    log_in_as(browse, staff_of(SUPPORT))
    open_worklist(browse, "NDR")
    expect(browse.get_by_role("cell", name="door locked")).to_be_visible()
    expect(button(browse, "Re-attempt")).to_have_count(0)
    expect(browse.get_by_role("link", name="Flags", exact=True)).to_have_count(0)
