"""A callback of the platform to itself: through the public address, signed as the courier signs.

It shows that the address leads here and that the inbox knows the secret. It is neither stored nor
counted, so the last good callback stays the courier's.
"""

from __future__ import annotations

import http.client
import json
import re
import secrets
from urllib.parse import urlsplit

from django.utils.crypto import constant_time_compare

from couriers.contract.registry import CourierFactory
from couriers.models import CourierAccount
from webhooks.probe import MAX_BYTES, TIMEOUT, answer_to

_BODY = re.compile(rb'\{"shipcrowd_test": "([0-9a-f]{32})"\}')


def answer_to_test(body: bytes) -> bytes | None:
    """Return the inbox's answer to a test callback; None for any other body."""
    found = _BODY.fullmatch(body)
    answer = answer_to(found[1].decode()) if found else None
    return answer.encode() if answer else None


def send_test(account: CourierAccount) -> str:
    """Send a test callback. Returns what is wrong, to go on with; "" where it was taken.

    Raises OSError where nothing answers, and NoAddress.
    """
    receiver = CourierFactory.receiver(account.courier_id)
    if receiver is None:
        return "the courier has no callbacks"
    challenge = secrets.token_hex(16)
    body = json.dumps({"shipcrowd_test": challenge}).encode()
    headers = receiver.sign(body, account.webhook_secret)
    if not headers:
        return "the plug-in does not say how the courier signs: a real callback will show it"
    status, answer = _post(account.webhook_url, body, dict(headers))
    if status == 401:
        return "the inbox refused the signature: it may know the secret in a few seconds only"
    if status != 200:
        return f"the callback address answers {status}"
    if not constant_time_compare(answer, (answer_to(challenge) or "").encode()):
        return "the callback address leads to another project"
    return ""


def _post(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT)
    try:
        connection.request("POST", parts.path, body, {"Content-Type": "application/json"} | headers)
        response = connection.getresponse()
        return response.status, response.read(MAX_BYTES)
    except (http.client.HTTPException, ValueError) as error:
        raise OSError(type(error).__name__) from error
    finally:
        connection.close()
