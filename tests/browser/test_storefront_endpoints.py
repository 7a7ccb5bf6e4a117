"""The work list of storefronts' endpoints that the platform has disabled."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from couriers.operations.roles import OPERATIONS
from tests.support.browser import GREEN, button, log_in_as, open_worklist, select_all
from tests.support.roles import staff_of
from tests.support.work import endpoint_that_is

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_an_endpoint_that_works_again_is_enabled_and_one_that_is_gone_is_left(
    browse: Page, account: Any
) -> None:
    works, gone = (
        endpoint_that_is(account.company, "failing"),
        endpoint_that_is(account.company, "gone"),
    )
    log_in_as(browse, staff_of(OPERATIONS))
    open_worklist(browse, "Storefront endpoints disabled")
    browse.get_by_role("row").filter(has_text="It has failed for a day").get_by_role(
        "checkbox"
    ).check()
    button(browse, "Enable").click()
    browse.get_by_label("Reason").fill("its firewall lets us in again")
    button(browse, "Confirm: enable").click()
    expect(browse.get_by_text("1 endpoint enabled.")).to_be_visible()
    select_all(browse).check()
    button(browse, "Leave disabled").click()
    browse.get_by_label("Reason").fill("the shop has closed")
    button(browse, "Confirm: leave disabled").click()
    expect(browse.get_by_text("1 endpoint left disabled.")).to_be_visible()
    expect(browse.get_by_text(GREEN)).to_be_visible()
    works.refresh_from_db()
    gone.refresh_from_db()
    assert (works.enabled, gone.enabled, gone.disabled_by) == (True, False, "by_hand")
