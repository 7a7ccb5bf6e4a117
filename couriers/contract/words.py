"""The words of a courier's answers: found, and made safe to store, log and show. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from couriers.contract.text import make_storable

T = TypeVar("T")
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


def words_by_field(problems: Any) -> str:
    """Return the words of an object whose keys are the fields that are wrong; "" for another."""
    if not isinstance(problems, dict):
        return ""
    return "; ".join(f"{name}: {words}" for name, words in problems.items())


def says(words: str, *parts: str) -> bool:
    """Whether the words contain one of these parts, in lower case, whatever their own case is."""
    folded = words.casefold()
    return any(part in folded for part in parts)


def meaning_of(words: str, meanings: Mapping[str, T], otherwise: T) -> T:
    """Return the meaning of the first part, in lower case, that the words contain.

    A plug-in has such a table for what to do about its courier's words.
    """
    return next((meaning for part, meaning in meanings.items() if says(words, part)), otherwise)


def _text(answer: Any, field: str) -> str:
    if field == WHOLE_ANSWER:
        return answer if isinstance(answer, str) else ""
    value = answer.get(field) if isinstance(answer, dict) else None
    if isinstance(value, list):
        return "; ".join(one for one in value if isinstance(one, str) and one)
    return value if isinstance(value, str) else ""
