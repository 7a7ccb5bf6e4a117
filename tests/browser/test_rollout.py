"""An operator in Chromium who rolls a courier out to a company, then to a share of all."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from couriers.booking.protocol import book
from couriers.contract.errors import CourierNotEnabled
from couriers.models import Courier
from tests.support.browser import log_in, open_row
from tests.support.drafts import DRAFT, draft_with
from tests.support.factories import CompanyFactory

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_a_courier_is_rolled_out_to_a_company_then_to_a_share_then_to_none(
    browse: Page, account: Any
) -> None:
    other = CompanyFactory(slug="bharat")
    log_in(browse, "view_courier", "view_auditentry", "change_rollout")
    open_row(browse, "Couriers", "toy")
    # The banner, which comes some seconds later, has the same link.
    browse.get_by_role("link", name="Change the roll-out").first.click()
    expect(browse.get_by_text("Toy takes new bookings of all companies")).to_be_visible()
    browse.get_by_label("Named companies (").fill("bharat\nnobody")
    browse.get_by_label("Named companies", exact=True).check()
    browse.get_by_label("Reason").fill("first day")
    browse.get_by_role("button", name="Change the roll-out").click()
    expect(browse.get_by_text("'nobody': no company has this slug")).to_be_visible()
    browse.get_by_label("Named companies (").fill("bharat")
    browse.get_by_role("button", name="Change the roll-out").click()
    expect(
        browse.get_by_text("Toy takes new bookings of the named companies: bharat.")
    ).to_be_visible()
    with pytest.raises(CourierNotEnabled):
        book(account.company, DRAFT)

    browse.get_by_role("link", name="Change the roll-out").first.click()
    browse.get_by_label("Named companies (").fill(f"bharat\n{account.company.slug}")
    browse.get_by_label("Named companies and a percentage of all").check()
    browse.get_by_role("spinbutton", name="Percentage").fill("5")
    browse.get_by_label("Reason").fill("the first day was a go")
    browse.get_by_role("button", name="Change the roll-out").click()
    expect(browse.get_by_text("5 per cent of all companies").first).to_be_visible()
    expect(browse.get_by_text("the first day was a go").first).to_be_visible()
    assert book(account.company, DRAFT).status_code == 201

    browse.get_by_role("link", name="Change the roll-out").first.click()
    browse.get_by_role("spinbutton", name="Percentage").fill("0")
    browse.get_by_label("Reason").fill("doubts older than 15 minutes")
    browse.get_by_role("button", name="Change the roll-out").click()
    expect(browse.get_by_text("Toy takes new bookings of no company (0 per cent).")).to_be_visible()
    assert set(Courier.objects.get().rollout_companies.all()) == {other, account.company}
    with pytest.raises(CourierNotEnabled):
        book(account.company, draft_with(order_number="A-2"))
