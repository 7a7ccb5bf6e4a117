"""The values that a request carries, by what may come back of them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MIN_PRIVATE_DIGITS = 8  # of a number: it is a phone; shorter ones are amounts, sizes and pincodes


@dataclass(frozen=True, slots=True, repr=False)
class SentValues:
    """What a request carried. Its repr hides the values.

    `secrets` are tokens and the login, `names` are names of persons, `texts` everything else that
    is private. `open` are ids and plain words that stay readable wherever they stand, even where
    they equal a private value.
    """

    secrets: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    open: tuple[str, ...] = ()


def sent_values(
    body: Any,
    *,
    open_fields: Collection[str],
    name_fields: Collection[str] = (),
    secrets: tuple[str, ...] = (),
    ids: tuple[str, ...] = (),
) -> SentValues:
    """Sort the values of a JSON body by the names of their fields.

    A field that is not listed is private, so that a new field is hidden until somebody decides
    otherwise. A number is private from MIN_PRIVATE_DIGITS digits on. `ids` are open, too.
    """
    names: list[str] = []
    texts: list[str] = []
    shown = list(ids)
    for field, value in _leaves(body):
        if field in open_fields:
            shown.append(str(value))
        elif isinstance(value, str):
            (names if field in name_fields else texts).append(value)
        elif isinstance(value, int) and abs(value) >= 10 ** (MIN_PRIVATE_DIGITS - 1):
            texts.append(str(value))
    return SentValues(secrets, tuple(names), tuple(texts), tuple(shown))


def _leaves(body: Any, field: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each text and number with the name of the field that it, or its list, belongs to."""
    if isinstance(body, Mapping):
        for name, value in body.items():
            yield from _leaves(value, name)
    elif isinstance(body, (list, tuple)):
        for value in body:
            yield from _leaves(value, field)
    elif isinstance(body, (str, int)) and not isinstance(body, bool):
        yield field, body
