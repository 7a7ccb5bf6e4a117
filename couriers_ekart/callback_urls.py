"""Have Ekart call our addresses, and no other of the account's.

A URL of ours that Ekart has already is updated, not added again, so registering may be repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from couriers.contract.accounts import Account
from couriers.contract.logins import RegisteredWebhook, Webhook
from couriers.http.client import CourierClient
from couriers_ekart.mapper.answers import WebhookAnswer, parse, parse_list


def register(
    client: CourierClient, account: Account, webhooks: Sequence[Webhook]
) -> list[RegisteredWebhook]:
    """Register the webhooks with Ekart, and return them in the same order. Raises CourierError."""
    known = parse_list(WebhookAnswer, client.call("list_webhooks"), "list_webhooks")
    id_by_url = {webhook.url: webhook.id for webhook in known}
    registered = [_register(client, webhook, id_by_url.get(webhook.url)) for webhook in webhooks]
    _switch_off(client, account, [w for w in known if w.url not in {r.url for r in registered}])
    return registered


def _register(client: CourierClient, webhook: Webhook, known_id: str | None) -> RegisteredWebhook:
    payload: dict[str, Any] = {
        "url": webhook.url,
        "secret": webhook.secret,
        "topics": [topic.value for topic in webhook.topics],
        "active": True,
    }
    if known_id:
        client.call("edit_webhook", webhook_id=known_id, json=payload)
        return RegisteredWebhook(known_id, webhook.url, is_new=False)
    added = parse(WebhookAnswer, client.call("add_webhook", json=payload), "add_webhook")
    return RegisteredWebhook(added.id, webhook.url, is_new=True)


def _switch_off(client: CourierClient, account: Account, others: Sequence[WebhookAnswer]) -> None:
    """Have Ekart send nothing more to these URLs, of those that are the account's."""
    for webhook in others:
        if webhook.active and webhook.url.startswith(account.webhook_url):
            changes = {"url": webhook.url, "topics": webhook.topics, "active": False}
            client.call("edit_webhook", webhook_id=webhook.id, json=changes)
