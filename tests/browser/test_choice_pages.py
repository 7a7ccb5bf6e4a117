"""The pages about the choice of couriers, each reached from the first page by clicks.

With SCREENSHOTS set to a folder, each view is stored there as a picture.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from couriers.models import AuditEntry, BookingAttempt, Company, CourierRule, ShipmentFlag
from couriers.operations.roles import ADMINISTRATOR, FINANCE, OPERATIONS, SUPPORT
from tests.support.browser import log_in_as
from tests.support.choice_history import LATE, late_yes, make_history, refused_first
from tests.support.choices import rule
from tests.support.factories import CourierAccountFactory, CourierRowFactory, ShipmentFactory
from tests.support.fail_over import Asked, asked_in_turn
from tests.support.looks import problems_of
from tests.support.roles import staff_of

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PICTURES = os.environ.get("SCREENSHOTS")


@pytest.fixture(autouse=True)
def _styles(settings: Any) -> None:
    settings.WHITENOISE_USE_FINDERS = True


@pytest.fixture
def asked(company: Company, no_backoff: None) -> Iterator[list[Asked]]:
    """Two couriers that a rule asks in turn, also after a doubt."""
    with asked_in_turn(
        company, "alpha", "beta", name="Alpha, then Beta", book_after_doubt=True
    ) as found:
        yield found


def sidebar(page: Page, name: str) -> None:
    page.locator("#nav-sidebar").get_by_role("link", name=name).click()
    page.wait_for_load_state("load")


def look(page: Page, name: str) -> None:
    """Check the open page on a laptop and a phone, light and dark."""
    found = problems_of(page, Path(PICTURES) if PICTURES else None, name)
    assert not found, "\n".join(found)
    page.set_viewport_size({"width": 1400, "height": 1000})


def field(page: Page, name: str) -> Locator:
    return page.locator(f".field-{name}").first


def forge(page: Page, path: str, form: dict[str, str]) -> int:
    """Post a form that no page offers to the user; return the status."""
    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    token = {"csrfmiddlewaretoken": cookies["csrftoken"]}
    return page.request.post(path, form=form | token).status


def test_an_administrator_adds_a_rule_that_is_refused_first_and_changes_it(
    browse: Page, company: Company, asked: list[Asked]
) -> None:
    log_in_as(browse, staff_of(ADMINISTRATOR))
    sidebar(browse, "Courier rules")
    expect(browse.get_by_role("link", name="Alpha, then Beta")).to_be_visible()
    look(browse, "rules")
    browse.get_by_role("link", name="Add courier rule").first.click()
    browse.locator(".select2-selection").first.click()
    browse.get_by_role("option", name=str(company)).click()
    browse.locator("#id_name").fill("Heavy ones")
    browse.get_by_label("Weight from (grams)").fill("5000")
    browse.get_by_label("Strategy").select_option("priority")
    browse.get_by_label("Couriers", exact=True).fill("gamma")
    browse.get_by_role("button", name="Save", exact=True).click()
    expect(field(browse, "courier_lines")).to_contain_text("is not a courier of this platform")
    assert CourierRule.objects.count() == 1
    look(browse, "rule-refused")
    browse.get_by_label("Couriers", exact=True).fill("beta\nalpha")
    browse.get_by_role("button", name="Save", exact=True).click()
    # All of its orders are taken by the rule before it.
    expect(browse.get_by_text("is never reached")).to_be_visible()
    look(browse, "rule-added")

    browse.locator("#result_list").get_by_role("link", name="Heavy ones").click()
    expect(browse.get_by_label("Couriers", exact=True)).to_have_value("beta 1\nalpha 1")
    browse.get_by_label("Position").fill("1")
    look(browse, "rule-change")
    browse.get_by_role("button", name="Save", exact=True).click()
    expect(browse.get_by_text("was changed successfully")).to_be_visible()
    names = list(CourierRule.objects.order_by("position").values_list("name", flat=True))
    assert names == ["Heavy ones", "Alpha, then Beta"]
    rows = AuditEntry.objects.exclude(action="login").order_by("id")
    assert [(row.action, row.actor_name) for row in rows] == [
        ("add", "administrator"), ("reorder_rules", "administrator"),
    ]  # fmt: skip
    assert rows[1].after == {"rules": names}


def test_rules_are_moved_by_buttons_and_an_order_is_tried(
    browse: Page, company: Company, asked: list[Asked]
) -> None:
    rule(company, "beta", name="Beta alone")
    log_in_as(browse, staff_of(ADMINISTRATOR))
    sidebar(browse, "Courier rules")
    browse.get_by_role("button", name="Move Beta alone up").click()
    expect(browse.get_by_text("Beta alone is tried at another place now.")).to_be_visible()
    look(browse, "rules-moved")
    assert CourierRule.objects.get(name="Beta alone").position == 1
    browse.get_by_role("link", name="Try an order").click()
    look(browse, "try")
    browse.get_by_label("Company").select_option(label=str(company))
    browse.get_by_label("Consignee's pincode").fill("411004")
    browse.get_by_role("button", name="Try the order").click()
    expect(browse.get_by_role("heading", name="beta would be asked first")).to_be_visible()
    expect(browse.get_by_text("The rule Beta alone holds")).to_be_visible()
    look(browse, "tried")
    browse.get_by_label("Consignee's pincode").fill("000000")
    browse.get_by_role("button", name="Try the order").click()
    expect(browse.locator("#choice")).to_have_count(0)
    look(browse, "tried-wrong")


def test_who_may_only_read_rules_has_no_way_to_change_them(
    browse: Page, company: Company, asked: list[Asked]
) -> None:
    log_in_as(browse, staff_of(SUPPORT))
    sidebar(browse, "Courier rules")
    for name in ("Add courier rule", "Try an order"):
        expect(browse.get_by_role("link", name=name)).to_have_count(0)
    expect(browse.get_by_role("button", name="Move")).to_have_count(0)
    browse.locator("#result_list").get_by_role("link", name="Alpha, then Beta").click()
    expect(browse.get_by_text("alpha 1; beta 1")).to_be_visible()
    expect(browse.get_by_text("any", exact=True)).to_have_count(11)
    expect(browse.get_by_role("button", name="Save")).to_have_count(0)
    look(browse, "rule-read")
    rule = CourierRule.objects.get()
    base = "/admin/shipcrowd_couriers/courierrule"
    key = rule.pk.replace("_", "_5F")
    pages = ("add", f"{key}/change", f"{key}/delete", f"{key}/move/up", "try")
    for page in pages:
        assert forge(browse, f"{base}/{page}/", {"name": "x", "post": "yes"}) == 403, page
    rule.refresh_from_db()
    assert rule.name == "Alpha, then Beta"
    assert AuditEntry.objects.filter(action="refused").count() == len(pages)


def test_finance_simulates_the_rules_and_support_sees_no_prices(
    browse: Page, company: Company, asked: list[Asked]
) -> None:
    make_history(company, asked)
    log_in_as(browse, staff_of(FINANCE))
    sidebar(browse, "Courier rules")
    browse.get_by_role("link", name="Simulate").click()
    look(browse, "simulation-blank")
    browse.get_by_label("Company").select_option(label=str(company))
    browse.get_by_role("button", name="Simulate").click()
    table = browse.get_by_role("table", name="What each rule would have chosen")
    expect(table.get_by_role("row", name="Alpha, then Beta")).to_be_visible()
    expect(table.get_by_role("columnheader", name="Would cost")).to_be_visible()
    look(browse, "simulation")
    browse.get_by_role("link", name="Back to the courier rules").click()
    expect(browse.locator("#result_list")).to_be_visible()
    sidebar(browse, "Companies")
    browse.locator("#result_list").get_by_role("link", name=company.slug).click()
    expect(browse.get_by_role("link", name="Alpha, then Beta")).to_be_visible()
    look(browse, "company-with-rules")
    browse.get_by_role("link", name="Simulate them").click()
    expect(table.get_by_role("row", name="Alpha, then Beta")).to_be_visible()
    browse.context.clear_cookies()
    log_in_as(browse, staff_of(SUPPORT))
    sidebar(browse, "Courier rules")
    browse.get_by_role("link", name="Simulate").click()
    browse.get_by_label("Company").select_option(label=str(company))
    browse.get_by_role("button", name="Simulate").click()
    expect(table.get_by_role("row", name="Alpha, then Beta")).to_be_visible()
    expect(table.get_by_role("columnheader", name="Would cost")).to_have_count(0)


def test_support_compares_couriers_month_by_month_and_by_lane(
    browse: Page, company: Company, asked: list[Asked]
) -> None:
    make_history(company, asked)
    log_in_as(browse, staff_of(SUPPORT))
    sidebar(browse, "Performance")
    drawn = "Array.from(document.querySelectorAll('canvas.chart')).every(c => Chart.getChart(c))"
    assert browse.locator("canvas.chart").count() == 4
    assert browse.evaluate(drawn)
    browse.get_by_text("As a table").first.click()
    table = browse.get_by_role("table", name="RTO by month and courier")
    expect(table.get_by_role("columnheader", name="Beta")).to_be_visible()
    look(browse, "performance")
    browse.locator("#content").get_by_text("Filters").first.click()
    browse.get_by_role("link", name="By lane").click()
    expect(browse.locator("#result_list").get_by_text("56 to 41").first).to_be_visible()
    look(browse, "performance-lanes")


def test_a_shipment_tells_which_couriers_were_asked_before(
    browse: Page, company: Company, asked: list[Asked]
) -> None:
    shipment = refused_first(company, asked)
    assert shipment.courier_id == "beta"
    log_in_as(browse, staff_of(SUPPORT))
    tile = browse.locator('[data-tile="failed-over"]')
    expect(tile).to_have_attribute("data-number", "1")
    tile.click()
    look(browse, "failed-over")
    browse.locator("#result_list").get_by_role("link", name=shipment.order_number).click()
    expect(browse.locator("#attempts")).to_contain_text("Alpha")
    expect(browse.locator("#attempts")).to_contain_text("no such pincode")
    expect(browse.get_by_text("Why this courier")).to_be_visible()
    look(browse, "attempts")


def test_the_second_parcel_is_cancelled_at_the_earlier_courier(
    browse: Page, company: Company, asked: list[Asked]
) -> None:
    shipment = late_yes(company, asked, "A-7")
    log_in_as(browse, staff_of(OPERATIONS))
    browse.locator('[data-tile="flags"]').click()
    expect(browse.get_by_text("Cancel that one.")).to_be_visible()
    look(browse, "late-yes-flag")
    browse.get_by_role("link", name="Cancel the second parcel").click()
    expect(browse.get_by_label(f"{LATE} of Alpha, attempt 1")).to_be_checked()
    browse.get_by_role("link", name="Back to the shipment").click()
    expect(browse.locator("#attempts")).to_contain_text(f"has the parcel {LATE}")
    look(browse, "late-yes")
    browse.get_by_role("link", name="Cancel it").click()
    browse.get_by_label("Reason").fill("Beta has it")
    look(browse, "late-yes-cancel")
    browse.get_by_role("button", name="Cancel the second parcel").click()
    expect(browse.get_by_text("Cancellation of the second parcel: done")).to_be_visible()
    look(browse, "late-yes-cancelled")
    assert asked[0].cancels == [LATE]
    assert asked[1].cancels == []
    assert BookingAttempt.objects.get().cancelled_at is not None
    assert not ShipmentFlag.objects.open().exists()
    row = AuditEntry.objects.get(action="cancel_earlier_parcel")
    assert (row.shipment, row.actor_name, row.reason) == (shipment, "operations", "Beta has it")


def test_who_may_not_act_reads_of_the_second_parcel_and_cannot_cancel_it(
    browse: Page, company: Company, asked: list[Asked]
) -> None:
    shipment = late_yes(company, asked, "A-7")
    log_in_as(browse, staff_of(SUPPORT))
    sidebar(browse, "Shipments")
    browse.locator("#result_list").get_by_role("link", name="A-7").click()
    expect(browse.locator("#attempts")).to_contain_text(LATE)
    expect(browse.get_by_role("link", name="Cancel it")).to_have_count(0)
    expect(browse.get_by_role("link", name="Cancel the second parcel")).to_have_count(0)
    key = shipment.pk.replace("_", "_5F")
    path = f"/admin/shipcrowd_couriers/shipment/{key}/earlier-parcel/"
    attempt = BookingAttempt.objects.get()
    assert forge(browse, path, {"attempt": str(attempt.pk), "reason": "x"}) == 403
    assert asked[0].cancels == []
    assert AuditEntry.objects.filter(action="refused").count() == 1


def test_what_an_account_lacks_is_said_and_made_good_from_the_company_s_page(
    browse: Page, company: Company, settings: Any
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"WEBHOOK_ACCOUNT_CACHE": 0.0}
    account = CourierAccountFactory(
        company=company, courier=CourierRowFactory(code="delhivery", name="Delhivery"),
        webhook_secret="",
    )  # fmt: skip
    for number in range(3):
        ShipmentFactory(
            account=account, warehouse=company.warehouses.get(), order_number=f"F-{number}",
            status="failed", tracking_id="", failure="the prepaid wallet is too low: recharge it",
        )  # fmt: skip
    log_in_as(browse, staff_of(ADMINISTRATOR))
    sidebar(browse, "Companies")
    browse.locator("#result_list").get_by_role("link", name=company.slug).click()
    for words in (
        "The last 3 bookings with Delhivery had no parcel", "recharge it",
        "Make a webhook secret.", "at Delhivery.",
    ):  # fmt: skip
        expect(browse.get_by_role("cell").get_by_text(words)).to_be_visible()
    look(browse, "company-to-do")
    browse.get_by_role("link", name="Guided start").last.click()
    expect(browse.locator('[data-step="live"]')).to_have_attribute("data-state", "failed")
    look(browse, "start-delhivery")
    browse.get_by_role("link", name="Make the webhook secret").click()
    browse.get_by_label("Reason").fill("to begin")
    browse.get_by_role("button", name="Make the secret").click()
    expect(browse.get_by_role("cell", name="x-delhivery-token")).to_be_visible()
    look(browse, "start-secret")
    sidebar(browse, "Companies")
    browse.locator("#result_list").get_by_role("link", name=company.slug).click()
    expect(browse.get_by_text("with the header x-delhivery-token")).to_be_visible()
