"""The pictures of docs/operations.md: every page that they show is reached by clicks.

`make screenshots` stores them in docs/images.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from couriers.models import Shipment
from couriers.operations.decisions import record_decision
from couriers.operations.task_gauges import RAN
from couriers.resilience.shared import with_redis
from tests.support.browser import log_in_as
from tests.support.busy_day import make_busy_day
from tests.support.roles import staff_of

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

DOCS = Path(__file__).resolve().parents[2] / "docs"
FOLDER = os.environ.get("SCREENSHOTS")


def sidebar(page: Page, name: str) -> None:
    page.locator("#nav-sidebar").get_by_role("link", name=re.compile(f"^.*{name}")).first.click()


def today(page: Page) -> None:
    sidebar(page, "Today")
    expect(page.get_by_text("Needs work")).to_be_visible()
    page.wait_for_timeout(1200)  # the charts grow


def ndr(page: Page) -> None:
    sidebar(page, "NDR")
    expect(page.get_by_text("Assigned to me")).to_be_visible()


def shipment(page: Page) -> None:
    sidebar(page, "NDR")
    page.get_by_role("row").filter(has_text="Customer Not Available").first.get_by_role(
        "link"
    ).first.click()
    expect(page.get_by_text("All times are in India")).to_be_visible()


def start(page: Page) -> None:
    sidebar(page, "Companies")
    page.locator("#result_list tbody").get_by_role("link").first.click()
    page.get_by_role("link", name="Guided start").first.click()
    expect(page.get_by_text("steps are done")).to_be_visible()


def audit(page: Page) -> None:
    sidebar(page, "Audit trail")
    expect(page.locator("#result_list")).to_be_visible()


def make_history(user: User) -> None:
    """What the user has done today, for the audit trail."""
    shipment = Shipment.objects.filter(status="undelivered").order_by("pk")[0]
    record_decision(shipment, user, "show_consignee", "", {})
    record_decision(
        shipment, user, "clear_flag", "the courier cancelled the second parcel", {},
        before={"open_flags": 2}, after={"open_flags": 1},
    )  # fmt: skip
    warehouse = shipment.warehouse
    record_decision(
        warehouse, user, "change", "", {},
        before={"city": "Mysuru"}, after={"city": warehouse.city},
    )  # fmt: skip


WAYS: dict[str, Callable[[Page], None]] = {
    "today": today, "ndr": ndr, "shipment": shipment, "start": start, "audit": audit,
}  # fmt: skip


def test_the_pictures_of_the_page_for_operators(
    browse: Page, account: Any, able: Any, settings: Any, tmp_path: Path
) -> None:
    settings.WHITENOISE_USE_FINDERS = True
    with_redis(lambda redis: redis.set(RAN, time.time()))
    make_busy_day(account)
    browse.set_viewport_size({"width": 1280, "height": 900})
    user = staff_of("Administrator")
    log_in_as(browse, user)
    make_history(user)
    for name, go in WAYS.items():
        go(browse)
        picture = Path(FOLDER or tmp_path) / f"{name}.png"
        browse.screenshot(path=picture, full_page=True)
        assert picture.stat().st_size > 10_000


def test_the_page_shows_each_picture_and_no_other() -> None:
    shown = set(re.findall(r"\]\(images/([a-z]+)\.png\)", (DOCS / "operations.md").read_text()))
    stored = {path.stem for path in (DOCS / "images").glob("*.png")}
    assert shown == set(WAYS) == stored
