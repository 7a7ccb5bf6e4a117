"""The words of a courier's answers: found, and made safe to store, log and show. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from couriers.contract.text import make_storable

MAX_LENGTH = 500  # characters
WHOLE_ANSWER = ""  # the name of a field that stands for the whole answer, where that is a text


def clean_message(text: str) -> str:
    """Return the text without what PostgreSQL cannot store, at most 500 characters of it.

    The client has masked in it what the call sent (couriers.http.client).
    """
    return make_storable(text)[:MAX_LENGTH]


def words_in(answer: Any, fields: Sequence[str]) -> str:
    """Return the first words that an answer has in these fields, cleaned; "" for none.

    A field holds a text or a list of texts. WHOLE_ANSWER names an answer that is a text itself.
    """
    found = (_text(answer, field) for field in fields)
    return clean_message(next((text for text in found if text), ""))


def _text(answer: Any, field: str) -> str:
    if field == WHOLE_ANSWER:
        return answer if isinstance(answer, str) else ""
    value = answer.get(field) if isinstance(answer, dict) else None
    if isinstance(value, list):
        return "; ".join(one for one in value if isinstance(one, str) and one)
    return value if isinstance(value, str) else ""
