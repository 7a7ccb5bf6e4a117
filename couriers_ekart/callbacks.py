"""Registering our callbacks with Ekart, so that running it again changes nothing.

Ekart's bodies do not tell a recreated shipment from a created one, so recreations get a URL of
their own: the same path, with a query that says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings

from couriers.models import CourierAccount
from couriers_ekart.client import EkartClient
from couriers_ekart.mapper.answers import read
from couriers_ekart.schemas import WebhookAnswer

# The query of each URL, and the topics that it is registered for.
URLS = {
    "": ["track_updated", "shipment_created"],
    "?topic=shipment_recreated": ["shipment_recreated"],
}


@dataclass(frozen=True, slots=True)
class Registered:
    """The callback at Ekart, and whether it is a new one."""

    id: str
    url: str
    is_new: bool


def register(account: CourierAccount) -> Registered:
    """Have Ekart call us back for every topic, signed with the account's secret.

    A callback that Ekart has for a URL of ours is brought up to date instead of doubled. Answers
    the account's own, without a query. Raises a CourierError.
    """
    client = EkartClient(account)
    existing = {
        one.url: one.id
        for one in (
            read(WebhookAnswer, answer, "list_webhooks") for answer in client.list_webhooks()
        )
    }
    done = [_register(client, account, query, topics, existing) for query, topics in URLS.items()]
    return done[0]


def _register(
    client: EkartClient,
    account: CourierAccount,
    query: str,
    topics: list[str],
    existing: dict[str, str],
) -> Registered:
    url = settings.APP_BASE_URL + account.webhook_path + query
    payload: dict[str, Any] = {
        "url": url,
        "secret": account.webhook_secret,
        "topics": topics,
        "active": True,
    }
    if known := existing.get(url):
        client.edit_webhook(known, payload)
        return Registered(known, url, is_new=False)
    made = read(WebhookAnswer, client.add_webhook(payload), "add_webhook")
    return Registered(made.id, url, is_new=True)
