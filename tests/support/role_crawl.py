"""Reads every page and export as each role, in a project that works; prints what leaks as JSON.

It is run as a module, with the environment of the project. Pages are those that links lead to: one
of each kind, and besides those of the newest shipments.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import Any

import django

SHIPMENTS = 15  # whose own pages are read, with all tabs
TABS = ("timeline", "documents", "money", "history", "raw")
EXPORT = "/export/"


def secrets_of_the_project() -> set[str]:
    """What nobody may see: logins, secrets of callbacks, tokens, and the API keys of the caller."""
    from couriers.models import CourierAccount, CourierToken
    from couriers.models.logins import login_fields

    found = {key for key in os.environ.get("API_KEYS", "").split(",") if key}
    for account in CourierAccount.objects.all():
        fields = login_fields(account.courier_id)
        found |= {str(account.login.get(field.name, "")) for field in fields if field.secret}
        found |= {account.webhook_secret, account.previous_webhook_secret}
    found |= set(CourierToken.objects.values_list("access_token", flat=True))
    return {one for one in found if one and len(one) > 7}


def personal_data() -> set[str]:
    """The phones and addresses of all consignees."""
    from couriers.models import Shipment

    rows = Shipment.objects.values_list("consignee_phone", "consignee_address")
    return {one for row in rows for one in row if len(one) > 7}


def read(client: Any, urls: list[str]) -> Iterator[tuple[str, str]]:
    """Yield each page, and each export that it offers, as text."""
    from tests.support.admin_links import hrefs

    seen = set()
    for url in urls:
        answer = client.get(url, follow=True)
        yield url, answer.getvalue().decode(errors="replace")
        if not answer.get("Content-Type", "").startswith("text/html"):
            continue
        for href in hrefs(answer):
            if EXPORT in href and href not in seen:
                seen.add(href)
                yield href, client.post(href).getvalue().decode(errors="replace")


def crawl(role: str) -> dict[str, Any]:
    """Return how many pages and exports the role read, and the leaks: URLs with their words."""
    from django.test import Client

    from couriers.models import Shipment
    from couriers.operations.staff import VIEW_CONSIGNEE
    from tests.support.admin_links import row_url
    from tests.support.crawling import linked_pages
    from tests.support.roles import staff_of

    client = Client()
    user = staff_of(role, f"crawling-{role.lower()}")
    client.force_login(user)
    rows = [row_url(one) for one in Shipment.objects.order_by("-id")[:SHIPMENTS]]
    urls = [*linked_pages(client).values(), *(f"{url}?tab={tab}" for url in rows for tab in TABS)]
    hidden, personal = secrets_of_the_project(), personal_data()
    counts = {"pages": 0, "exports": 0}
    leaks = []
    for url, text in read(client, urls):
        is_export = EXPORT in url
        counts["exports" if is_export else "pages"] += 1
        # An export holds phones for those who may see them, which is recorded.
        words = hidden if is_export and user.has_perm(VIEW_CONSIGNEE) else hidden | personal
        leaks += [f"{url}: {word}" for word in words if word in text]
    return counts | {"leaks": leaks, "secrets": len(hidden), "personal": len(personal)}


if __name__ == "__main__":
    django.setup()
    from django.conf import settings
    from django.test.utils import setup_test_environment

    setup_test_environment()
    settings.STORAGES["staticfiles"]["BACKEND"] = (
        "django.contrib.staticfiles.storage.StaticFilesStorage"
    )
    from couriers.operations.roles import ROLES

    json.dump({role: crawl(role) for role in ROLES}, sys.stdout)
