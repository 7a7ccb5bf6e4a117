"""Make Ekart's messages to people safe to store, log and show. Pure."""

from __future__ import annotations

from typing import Any

from couriers.contract.text import make_storable

MAX_LENGTH = 500  # characters


def clean_message(text: str) -> str:
    """Return the text without what PostgreSQL cannot store, at most 500 characters of it.

    The client has masked in it what the call sent (couriers_ekart.wire.client).
    """
    return make_storable(text)[:MAX_LENGTH]


def message_in(body: Any) -> str:
    """Return an answer's message, cleaned: its description, remark or message; "" for none."""
    if not isinstance(body, dict):
        return ""
    texts = (body.get(key) for key in ("description", "remark", "message"))
    return clean_message(next((text for text in texts if isinstance(text, str) and text), ""))
