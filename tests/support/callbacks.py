"""Sending callbacks as couriers do, and a second connection to the tests' database."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection
from django.test import Client

from couriers.contract.receiver import Topic, topic_secret
from couriers.models.addresses import path_of

SECRET = "a-secret-of-tests"


def callback_path(account: Any, topic: str = "") -> str:
    """The path to which the account's courier sends callbacks, or those of one topic."""
    if topic:
        return path_of("shipcrowd_webhooks:receive-topic", account.courier_id, account.pk, topic)
    return path_of("shipcrowd_webhooks:receive", account.courier_id, account.pk)


def send(
    account: Any, body: Any, *, secret: str = SECRET, courier: str = "toy", query: str = ""
) -> Any:
    """Send a callback of the toy courier, which is signed by a header, and return the answer."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Client().post(
        path_of("shipcrowd_webhooks:receive", courier, account.pk) + query, raw, "application/json",
        headers={"x-toy-secret": secret},
    )  # fmt: skip


def send_recreated(account: Any, body: Any, *, secret: str = SECRET) -> Any:
    """Send a callback of the toy courier to the path of recreations, signed for it."""
    return Client().post(
        callback_path(account, Topic.SHIPMENT_RECREATED), json.dumps(body).encode(),
        "application/json",
        headers={"x-toy-secret": topic_secret(secret, Topic.SHIPMENT_RECREATED)},
    )  # fmt: skip


def ekart_signature(body: bytes, secret: str = SECRET) -> str:
    """Return the signature that Ekart sends in x-ekart-signature."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def send_ekart(account: Any, body: bytes, query: str = "", signature: str | None = None) -> int:
    """Send a callback of Ekart and return the answer's status."""
    signature = ekart_signature(body) if signature is None else signature
    answer = Client().post(
        callback_path(account) + query, body, "application/json",
        headers={"x-ekart-signature": signature},
    )  # fmt: skip
    return answer.status_code


def other_connection() -> psycopg.Connection[Any]:
    """Connect to the test's database in autocommit, as another process does."""
    url = settings.DATABASE_URL.rsplit("/", 1)[0]
    return psycopg.connect(f"{url}/{connection.settings_dict['NAME']}", autocommit=True)
