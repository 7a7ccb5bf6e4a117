"""What is sent for an event, by the Standard Webhooks scheme: the body, and its signed headers.

https://github.com/standard-webhooks/standard-webhooks. Pure, but for the randomness of a secret.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import secrets
from collections.abc import Sequence

from standardwebhooks import Webhook

from couriers.models import Event

SECRET_PREFIX = "whsec_"  # noqa: S105 - what a secret begins with
SECRET_BYTES = 32
USER_AGENT = "Shipcrowd-Webhooks/1"


def new_secret() -> str:
    """Return a new secret of an endpoint, as `standardwebhooks` takes it."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def body_of(event: Event) -> bytes:
    """Return what is sent of an event. It is the same at each attempt, byte for byte."""
    moment = event.created_at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    content = {"type": event.type, "timestamp": moment, "data": event.data}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def headers_of(event_id: str, body: bytes, keys: Sequence[str], at: dt.datetime) -> dict[str, str]:
    """Return the headers of an attempt at the time `at`, signed with each of the secrets.

    `webhook-id` is the event's id: it is the same at each attempt, so that a receiver can tell a
    repeat.
    """
    text = body.decode()
    moment = at.astimezone(dt.UTC)
    signatures = [Webhook(key).sign(msg_id=event_id, timestamp=moment, data=text) for key in keys]
    return {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "webhook-id": event_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
