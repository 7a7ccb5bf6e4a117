"""Register our callback URLs with Ekart, and rotate the secret that Ekart signs callbacks with.

Registering again changes nothing. Ekart's bodies do not tell a recreated shipment from a created
one, so recreations have a path and a secret of their own.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from couriers.conf import tunables
from couriers.contract.accounts import Account
from couriers.contract.receiver import Topic, topic_secret
from couriers.models.plugin_hooks import (
    clear_previous_webhook_secret,
    load_webhook_secret,
    store_webhook_secrets,
)
from couriers.resilience.lock import hold_lock
from couriers_ekart.mapper.answers import WebhookAnswer, parse, parse_list
from couriers_ekart.wire.client import EkartClient


@dataclass(frozen=True, slots=True)
class RegisteredWebhook:
    """A callback URL as Ekart has it. `is_new` says whether this registration created it."""

    id: str
    url: str
    is_new: bool


def register(account: Account) -> RegisteredWebhook:
    """Register every topic with Ekart, signed with the account's webhook secret.

    A URL of ours that Ekart has already is updated, not added again. Any other URL of the account
    that Ekart still has is switched off. Return the account's own URL. Raises CourierError.
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
    wanted = _payloads(account, secret)
    registered = [
        _register_url(client, payload, id_by_url.get(payload["url"])) for payload in wanted
    ]
    _switch_off(client, account, [w for w in known if w.url not in {r.url for r in registered}])
    return registered[0]


def _switch_off(client: EkartClient, account: Account, others: Sequence[WebhookAnswer]) -> None:
    """Have Ekart send nothing more to these URLs, of those that are the account's."""
    for webhook in others:
        if webhook.active and webhook.url.startswith(account.webhook_url):
            changes = {"url": webhook.url, "topics": webhook.topics, "active": False}
            client.edit_webhook(webhook.id, changes)


def _payloads(account: Account, secret: str) -> list[dict[str, Any]]:
    """Return what Ekart is to have: the account's own URL first, then that of recreations."""
    own_path, recreated = [Topic.TRACK_UPDATED, Topic.SHIPMENT_CREATED], Topic.SHIPMENT_RECREATED
    return [
        {
            "url": account.webhook_url,
            "secret": secret,
            "topics": [topic.value for topic in own_path],
            "active": True,
        },
        {
            "url": account.topic_url(recreated),
            "secret": topic_secret(secret, recreated),
            "topics": [recreated.value],
            "active": True,
        },
    ]


def _register_url(
    client: EkartClient, payload: dict[str, Any], known_id: str | None
) -> RegisteredWebhook:
    url = payload["url"]
    if known_id:
        client.edit_webhook(known_id, payload)
        return RegisteredWebhook(known_id, url, is_new=False)
    added = parse(WebhookAnswer, client.add_webhook(payload), "add_webhook")
    return RegisteredWebhook(added.id, url, is_new=True)
