"""Make Ekart's messages to people safe to store, log and show. Pure."""

from __future__ import annotations

import re
from typing import Any

from couriers.contract.text import make_storable

MAX_LENGTH = 500  # characters
_LONG_NUMBER = re.compile(r"\+?\d[\d\s-]{8,}\d")


def clean_message(text: str) -> str:
    """Return the text without long numbers and without what PostgreSQL cannot store.

    Ekart quotes what it refuses: a consignee's phone number must not get into an error. At most
    500 characters are kept.
    """
    return _LONG_NUMBER.sub("…", make_storable(text))[:MAX_LENGTH]


def message_in(body: Any) -> str:
    """Return an answer's message, cleaned: its description, remark or message; "" for none."""
    if not isinstance(body, dict):
        return ""
    texts = (body.get(key) for key in ("description", "remark", "message"))
    return clean_message(next((text for text in texts if isinstance(text, str) and text), ""))
