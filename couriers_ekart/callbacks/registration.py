"""Registering our callbacks with Ekart, so that running it again changes nothing.

Ekart's bodies do not tell a recreated shipment from a created one, so recreations get a URL of
their own: the same path, with a query that says so.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from couriers.conf import tunables
from couriers.models import CourierAccount
from couriers.resilience.lock import exclusive
from couriers_ekart.mapper.answers import read
from couriers_ekart.mapper.schemas import WebhookAnswer
from couriers_ekart.wire.client import EkartClient

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


def rotate_secret(account: CourierAccount, *, settle: Callable[[float], None]) -> Registered:
    """Have Ekart sign with a new secret; callbacks signed with the old one stay valid as well.

    Whatever interrupts it, both ends agree on one of the two secrets. `settle` waits for so many
    seconds, until every web process knows the new secret; only then Ekart is told of it.
    """
    with exclusive(f"webhook-secret:{account.pk}", life=180, wait=1):
        # An earlier rotation may have been cut short: the secret that is dropped now must be one
        # that Ekart does not sign with.
        register(account)
        account.previous_webhook_secret = account.webhook_secret
        account.webhook_secret = secrets.token_urlsafe(22)  # 30 characters, Ekart's most
        account.save(update_fields=["webhook_secret", "previous_webhook_secret", "updated_at"])
        settle(tunables().WEBHOOK_ACCOUNT_CACHE + 1)
        return register(account)


def forget_previous_secret(account: CourierAccount) -> None:
    """Take the current secret alone from now on (within seconds, when the web processes know)."""
    account.previous_webhook_secret = ""
    account.save(update_fields=["previous_webhook_secret", "updated_at"])


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
