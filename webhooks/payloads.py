"""Reading a callback's body: what it must be, and what tells two of them apart. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from couriers.contract.json_limits import MAX_DEPTH, nesting_depth


class NotAnEvent(ValueError):
    """An authentic body that is no event; the message says why."""


def read(body: bytes) -> dict[str, Any]:
    """The body's JSON object. Raises NotAnEvent for anything else, and nothing but that."""
    try:
        payload = _DECODER.decode(body.decode("utf-8"))
    except NotAnEvent:
        raise
    except UnicodeDecodeError:
        raise NotAnEvent("is not UTF-8") from None
    except RecursionError:
        raise NotAnEvent("is nested too deeply") from None
    except ValueError as error:
        raise NotAnEvent(f"is not JSON: {error}"[:200]) from None
    if not isinstance(payload, dict):
        raise NotAnEvent("is not a JSON object")
    # Counting brackets is quick, and enough for any body that is not suspicious.
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and nesting_depth(payload) > MAX_DEPTH:
        raise NotAnEvent("is nested too deeply")
    return payload


def exact(body: bytes, payload: dict[str, Any]) -> dict[str, Any]:
    """What was read of the body, for its hash: numbers that no float can hold are told apart."""
    if not _FRACTION.search(body):
        return payload
    found: dict[str, Any] = _EXACT_DECODER.decode(body.decode())
    return found


def content_hash(payload: dict[str, Any], topic: str = "") -> bytes:
    """SHA-256 of the content however it happened to be ordered and spaced.

    `topic` is what the request, and not the body, said that it is about: the same body may come
    again by a way that gives it another meaning.
    """
    text = _ENCODER.encode(payload)
    return hashlib.sha256(f"{topic}:{text}".encode() if topic else text.encode()).digest()


def raw_hash(body: bytes) -> bytes:
    """SHA-256 of a body that has no content to speak of."""
    return hashlib.sha256(b"raw:" + body).digest()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotAnEvent("has a key twice in one object")
    return found


def _no_constant(name: str) -> Any:
    raise NotAnEvent(f"contains {name}")


def _number(text: str) -> Any:
    """A float where it is the very number that was written, however it was written."""
    rounded = float(text)
    try:
        same = Decimal(text) == Decimal(repr(rounded))
    except InvalidOperation:  # an exponent of twenty digits
        same = False
    return rounded if same else {"number": text}


# Made once: json.loads and json.dumps make them anew for each call with arguments.
_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)
_EXACT_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_number
)
_FRACTION = re.compile(rb"\d[.eE]")
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True)
