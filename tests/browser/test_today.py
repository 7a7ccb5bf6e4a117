"""An operator in Chromium who goes from a red first page to a green one by its links."""

from __future__ import annotations

import datetime as dt
import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from couriers.booking.protocol import book
from couriers.contract.errors import Unknown
from couriers.models import FlagKind
from couriers.models.flag import raise_flag
from couriers.operations.day_figures import count_days, last_days
from couriers.operations.task_gauges import RAN
from couriers.resilience.circuit_breaker import CircuitBreaker
from couriers.resilience.shared import with_redis
from tests.support.browser import log_in
from tests.support.drafts import draft_with, raising
from tests.support.factories import ShipmentFactory
from tests.support.work import make_work
from webhooks.models import WebhookEvent

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

SEEN = ("view_shipmentflag", "view_webhookevent", "view_courier", "view_courieraccount")
DONE = ("settle_doubt", "clear_flag", "replay_event", "change_rollout")
WIDTHS = (1280, 390)


def first_page(page: Page) -> None:
    """Go to the first page by the sidebar."""
    page.locator("#nav-sidebar").get_by_role("link", name="Today").click()


def tile(page: Page, name: str) -> Any:
    return page.locator(f'[data-tile="{name}"]')


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    return int(
        page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    )


def test_an_operator_makes_the_first_page_green_by_its_links(
    browse: Page, account: Any, toy: Any
) -> None:
    with_redis(lambda redis: redis.set(RAN, time.time()))
    toy.on_create = raising(Unknown("read time-out"))
    book(account.company, draft_with(order_number="A-1"))
    toy.on_create = None
    flagged = ShipmentFactory(
        account=account, warehouse=account.company.warehouses.get(), order_number="A-2"
    )
    raise_flag(flagged, FlagKind.SECOND_SHIPMENT, tracking_id="T-9")
    now = timezone.now()
    WebhookEvent.objects.create(
        account=account, content_hash=b"1", state="dead", next_attempt_at=now, received_at=now,
        body=b"{}", reason="no such shipment",
    )  # fmt: skip
    log_in(browse, *SEEN, *DONE)

    sidebar = browse.locator("#nav-sidebar")
    for name in ("Doubts", "Flags", "Callbacks"):
        expect(sidebar.get_by_role("link", name=name)).to_contain_text("1")
    browse.get_by_role("row", name="A-1").get_by_role("link", name="Settle").click()
    browse.get_by_label("Reason").last.fill("the panel does not have it")
    browse.get_by_label("I looked in the courier's panel, and the order is not there.").check()
    browse.get_by_role("button", name="Release the order").click()
    first_page(browse)
    expect(browse.get_by_text("No booking is in doubt.")).to_be_visible()

    expect(tile(browse, "flags")).to_have_attribute("data-state", "bad")
    tile(browse, "flags").click()
    browse.get_by_label("Select all rows of the page").check()
    browse.get_by_role("button", name="Clear", exact=True).click()
    browse.get_by_label("Reason").fill("the second parcel is cancelled")
    browse.get_by_role("button", name="Confirm: clear").click()
    first_page(browse)
    expect(tile(browse, "flags")).to_have_attribute("data-state", "good")

    tile(browse, "callbacks").click()
    browse.get_by_label("Select all rows of the page").check()
    browse.get_by_role("button", name="Replay", exact=True).click()
    browse.get_by_role("button", name="Confirm: replay").click()
    expect(browse.get_by_text("1 callback replayed.")).to_be_visible()
    first_page(browse)
    expect(tile(browse, "callbacks")).to_have_attribute("data-state", "good")
    for name in ("Doubts", "Flags", "Callbacks"):
        expect(sidebar.get_by_role("link", name=name)).not_to_contain_text("1")


def test_a_courier_that_is_not_for_everybody_is_named_on_every_page_until_it_is(
    browse: Page, account: Any
) -> None:
    log_in(browse, *SEEN, *DONE)
    banner = browse.locator("#shipcrowd-banner")
    expect(banner).to_have_count(0)
    for choice, reason in (("No company", "refunds are wrong"), ("All companies", "mended")):
        browse.locator("#nav-sidebar").get_by_role("link", name="Couriers").click()
        browse.locator("#result_list").get_by_role("link", name="toy").first.click()
        browse.get_by_role("link", name="Change the roll-out").first.click()
        browse.get_by_label(choice, exact=True).check()
        browse.get_by_label("Reason").fill(reason)
        browse.get_by_role("button", name="Change the roll-out").click()
        first_page(browse)
        if choice == "No company":
            expect(banner).to_contain_text("Toy takes no new bookings.")
            expect(banner).to_contain_text("by operator: refunds are wrong")
            expect(tile(browse, "couriers-restricted")).to_have_attribute("data-number", "1")
            banner.get_by_role("link", name="Change the roll-out").click()
            expect(browse.get_by_role("heading", name="Toy: which companies")).to_be_visible()
            expect(banner).to_contain_text("refunds are wrong")
            first_page(browse)
    expect(banner).to_have_count(0)
    expect(tile(browse, "couriers-restricted")).to_have_attribute("data-number", "0")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_first_page_draws_its_figures_without_a_script_of_its_own(
    browse: Page, account: Any, theme: str, tmp_path: Path
) -> None:
    problems: list[str] = []
    browse.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    browse.on("pageerror", lambda error: problems.append(str(error)))
    make_work(account)
    circuit = CircuitBreaker.of_account(account.courier_id, account.pk)
    for _ in range(5):
        circuit.record_failure()
    for number, day in enumerate(last_days(7)):
        at = timezone.now().replace(hour=6) - dt.timedelta(days=number)
        for _ in range(number + 1):
            ShipmentFactory(
                account=account, warehouse=account.company.warehouses.first(), booked_at=at,
                status="delivered", status_at=at,
            )  # fmt: skip
        assert day
    count_days(last_days())
    browse.add_init_script(f"localStorage.setItem('adminTheme', '\"{theme}\"')")
    log_in(browse, *SEEN, *DONE, "view_manifestchunk", "view_shipmentaction")
    for name in ("Today", "30 days", "7 days"):
        browse.get_by_label("Time of the figures").get_by_role("link", name=name).click()
        expect(
            browse.get_by_label("Time of the figures").get_by_role("link", name=name)
        ).to_have_attribute("aria-current", "true")
    assert browse.locator("canvas.chart").count() == 4
    drawn = "Array.from(document.querySelectorAll('canvas.chart')).every(c => Chart.getChart(c))"
    assert browse.evaluate(drawn)
    browse.get_by_text("As a table").first.click()
    expect(browse.get_by_role("table", name="Bookings by day")).to_contain_text("7")
    pictures = Path(os.environ.get("SHIPCROWD_SCREENSHOTS", tmp_path))
    for width in WIDTHS:
        browse.set_viewport_size({"width": width, "height": 1000})
        browse.screenshot(path=pictures / f"today-{width}-{theme}.png", full_page=True)
        assert overflow(browse) <= 0, width
    # A browser asks for an icon that nobody serves.
    assert [one for one in problems if "404" not in one] == []
