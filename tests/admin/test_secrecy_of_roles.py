"""What each role sees on every page that links lead to, and in every export."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from couriers.models import CourierAccount, Shipment
from couriers.operations.roles import ADMINISTRATOR, FINANCE, OPERATIONS, ROLES, SUPPORT
from tests.support.admin_links import hrefs
from tests.support.crawling import linked_pages
from tests.support.everything import ENDPOINT_SECRETS, SECRETS, make_everything
from tests.support.roles import staff_of

PHONES = ("9876543210", "9123456780")  # of the consignee, and the second one among the options
ADDRESS = "9, Secret Lane"
KEYS = (*SECRETS.values(), *ENDPOINT_SECRETS.values(), "token-is-secret", "url-is-secret")
EXPORT = "/export/"
MAY_EXPORT = {SUPPORT: False, OPERATIONS: False, FINANCE: True, ADMINISTRATOR: True}


def pages_and_exports(role: str) -> dict[str, str]:
    """The text of every page and export that the role comes to by links, by URL."""
    client = Client()
    client.force_login(staff_of(role))
    found = {}
    for url in linked_pages(client).values():
        answer = client.get(url, follow=True)
        found[url] = answer.getvalue().decode(errors="replace")
        if answer["Content-Type"].startswith("text/html"):
            for href in hrefs(answer):
                if EXPORT in href:
                    found[href] = client.post(href).getvalue().decode()
    return found


def leaks(texts: dict[str, str], *words: str) -> list[tuple[str, str]]:
    return [(url, word) for url, text in texts.items() for word in words if word in text]


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
def test_a_role_sees_no_secret_and_no_phone_without_the_permission(
    account: CourierAccount, able: Any, role: str
) -> None:
    make_everything(account)
    shipment = Shipment.objects.get()
    assert shipment.consignee_phone in PHONES
    assert ADDRESS in shipment.consignee_address
    texts = pages_and_exports(role)
    exports = {url: text for url, text in texts.items() if EXPORT in url}
    pages = {url: text for url, text in texts.items() if url not in exports}
    assert len(pages) > 15
    assert leaks(texts, *KEYS) == []
    # On a page they are shown to who asks for them, which is recorded.
    assert leaks(pages, *PHONES, ADDRESS) == []
    assert bool(exports) == MAY_EXPORT[role], list(exports)
    if role == FINANCE:
        assert leaks(exports, *PHONES, ADDRESS) == []
    if role == ADMINISTRATOR:
        shipments = next(text for url, text in exports.items() if f"/shipment{EXPORT}" in url)
        assert PHONES[0] in shipments
