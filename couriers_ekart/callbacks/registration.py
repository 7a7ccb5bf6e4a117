"""Register our callback URLs with Ekart, and rotate the secret that Ekart signs callbacks with.

Registering again changes nothing. Ekart's bodies do not tell a recreated shipment from a created
one, so recreations get a URL of their own: the same path with a query.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from couriers.conf import tunables
from couriers.contract.accounts import Account
from couriers.models.plugin_hooks import (
    clear_previous_webhook_secret,
    load_webhook_secret,
    store_webhook_secrets,
)
from couriers.resilience.lock import hold_lock
from couriers_ekart.mapper.answers import parse, parse_list
from couriers_ekart.mapper.schemas import WebhookAnswer
from couriers_ekart.wire.client import EkartClient

# The query of each of our URLs, and the topics that Ekart sends there.
TOPICS_BY_QUERY = {
    "": ["track_updated", "shipment_created"],
    "?topic=shipment_recreated": ["shipment_recreated"],
}


@dataclass(frozen=True, slots=True)
class RegisteredWebhook:
    """A callback URL as Ekart has it. `is_new` says whether this registration created it."""

    id: str
    url: str
    is_new: bool


def register(account: Account) -> RegisteredWebhook:
    """Register every topic with Ekart, signed with the account's webhook secret.

    A URL of ours that Ekart has already is updated, not added again. Return the URL without a
    query. Raises CourierError.
    """
    return _register_all(account, account.webhook_secret)


def rotate_secret(account: Account, *, settle: Callable[[float], None]) -> RegisteredWebhook:
    """Have Ekart sign with a new secret, and keep the old one valid as the previous secret.

    `settle` waits for the seconds it is given, until every web process knows the new secret; only
    then Ekart is told. An interruption at any point leaves Ekart signing with a valid secret.
    Raises CourierError, and LockTimeout if another rotation is running.
    """
    with hold_lock(f"webhook-secret:{account.pk}", life=180, wait=1):
        # After an interrupted rotation Ekart may sign with the previous secret, which is dropped
        # below: have it sign with the current one first.
        current = load_webhook_secret(account.pk)
        _register_all(account, current)
        new = secrets.token_urlsafe(22)  # 30 characters, the most that Ekart takes
        store_webhook_secrets(account.pk, current=new, previous=current)
        settle(tunables().WEBHOOK_ACCOUNT_CACHE + 1)
        return _register_all(account, new)


def drop_previous_secret(account: Account) -> None:
    """Accept the current secret only, as soon as the web processes know (within seconds)."""
    clear_previous_webhook_secret(account.pk)


def _register_all(account: Account, secret: str) -> RegisteredWebhook:
    client = EkartClient(account)
    known = parse_list(WebhookAnswer, client.list_webhooks(), "list_webhooks")
    id_by_url = {webhook.url: webhook.id for webhook in known}
    base = account.webhook_url
    registered = [
        _register_url(client, base + query, topics, secret, id_by_url.get(base + query))
        for query, topics in TOPICS_BY_QUERY.items()
    ]
    return registered[0]


def _register_url(
    client: EkartClient, url: str, topics: list[str], secret: str, known_id: str | None
) -> RegisteredWebhook:
    payload: dict[str, Any] = {"url": url, "secret": secret, "topics": topics, "active": True}
    if known_id:
        client.edit_webhook(known_id, payload)
        return RegisteredWebhook(known_id, url, is_new=False)
    added = parse(WebhookAnswer, client.add_webhook(payload), "add_webhook")
    return RegisteredWebhook(added.id, url, is_new=True)
