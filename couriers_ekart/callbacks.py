"""Registering our callback with Ekart, so that running it again changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from couriers.models import CourierAccount
from couriers_ekart.client import EkartClient
from couriers_ekart.mapper.answers import read
from couriers_ekart.schemas import WebhookAnswer

TOPICS = ["track_updated", "shipment_created", "shipment_recreated"]


@dataclass(frozen=True, slots=True)
class Registered:
    """The callback at Ekart, and whether it is a new one."""

    id: str
    url: str
    is_new: bool


def register(account: CourierAccount) -> Registered:
    """Have Ekart call us back for every topic, signed with the account's secret.

    A callback that Ekart has for our URL is brought up to date instead of doubled. Raises a
    CourierError.
    """
    client = EkartClient(account)
    url = settings.APP_BASE_URL + account.webhook_path
    payload = {
        "url": url,
        "secret": account.webhook_secret,
        "topics": TOPICS,
        "active": True,
    }
    existing = [read(WebhookAnswer, one, "list_webhooks") for one in client.list_webhooks()]
    ours = next((one for one in existing if one.url == url), None)
    if ours is not None:
        client.edit_webhook(ours.id, payload)
        return Registered(ours.id, url, is_new=False)
    made = read(WebhookAnswer, client.add_webhook(payload), "add_webhook")
    return Registered(made.id, url, is_new=True)
