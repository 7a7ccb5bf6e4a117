"""Every page that links lead to, on a laptop and a phone, light and dark.

The pages that are the same for every model but for its fields are looked at in one view each, in
turns. With SCREENSHOTS set to a folder, every page is looked at in each view, which is stored there
as a picture.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from playwright.sync_api import Page

from couriers.models import CourierPerformance, CourierRule
from tests.support.admin_links import list_url
from tests.support.browser import PASSWORD
from tests.support.crawling import linked_pages
from tests.support.everything import make_everything
from tests.support.looks import PAIRS, View, problems_of

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

SHARES = 2  # which run beside each other
FORMS = ("changelist", "change", "add")
FRAMES = ("history", "delete")
PICTURES = os.environ.get("SCREENSHOTS")


@pytest.mark.parametrize("share", range(SHARES))
def test_no_page_is_too_wide_or_breaks_a_rule_of_wcag_aa(
    browse: Page, account: Any, able: Any, settings: Any, share: int
) -> None:
    settings.WHITENOISE_USE_FINDERS = True
    make_everything(account)
    user = get_user_model().objects.create_superuser("op", password=PASSWORD)
    client = Client()
    client.force_login(user)
    pages = linked_pages(client) | asked_pages(account)
    cookie = client.cookies["sessionid"]
    browse.goto("/admin/login/")
    browse.context.add_cookies(
        [{"name": cookie.key, "value": cookie.value, "url": browse.url.partition("/admin")[0]}]
    )
    found = []
    for name, views in list(_views_of(sorted(pages)).items())[share::SHARES]:
        browse.goto(pages[name])
        found += problems_of(browse, Path(PICTURES) if PICTURES else None, name, views)
    assert not found, "\n".join(found)


def _views_of(names: Sequence[str]) -> dict[str, Sequence[View]]:
    """Return the views of each page: of a model's list and form one in turns, of our pages all.

    Histories and deletions are the library's, whatever the model: two of each are looked at.
    """
    views: dict[str, Sequence[View]] = {}
    seen: Counter[str] = Counter()
    for name in names:
        kind = name.rpartition("-")[2]
        if kind in FORMS or PICTURES:
            views[name] = [PAIRS[seen[kind] % len(PAIRS)]]
        elif kind not in FRAMES:
            views[name] = PAIRS
        elif seen[kind] < len(PAIRS):
            views[name] = [PAIRS[seen[kind]]]
        seen[kind] += 1
    return views


def asked_pages(account: Any) -> dict[str, str]:
    """Return pages that show more once something is chosen, as `linked_pages` does."""
    return {
        "courierrule-simulated": f"{list_url(CourierRule)}simulate/?company={account.company_id}",
        "courierperformance-lanes": f"{list_url(CourierPerformance)}?rows=lanes",
    }


def test_links_lead_to_the_pages_of_all_models(account: Any, able: Any, client: Client) -> None:
    make_everything(account)
    client.force_login(get_user_model().objects.create_superuser("op"))
    pages = linked_pages(client)
    for name in ("couriers-shipment-change", "webhooks-webhookevent-changelist"):
        assert name in pages, sorted(pages)
    assert len(pages) > 60
