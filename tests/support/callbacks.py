"""Callbacks of the toy courier."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client

SECRET = {"x-toy-secret": "a-secret-of-tests"}  # the header that signs them


def send_callback(account: Any, body: Any, query: str = "") -> int:
    """Send a signed callback to the account's URL; returns the status of the answer."""
    answer = Client().post(
        f"{account.webhook_path}{query}", json.dumps(body), "application/json", headers=SECRET
    )
    return answer.status_code
