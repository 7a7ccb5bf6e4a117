"""Parsing a callback's body and hashing its content, without a query."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from django.conf import settings

from couriers.contract.json_limits import MAX_DEPTH, nesting_depth


class UnreadableBody(ValueError):
    """A verified body that is not a JSON object; the message continues "The body …"."""


class UndecryptableBody(UnreadableBody):
    """A stored body whose key this process lacks. Another process may read it."""

    def __init__(self) -> None:
        super().__init__("was encrypted with a key that FERNET_KEYS lack")


def parse_body(body: bytes) -> dict[str, Any]:
    """Return the body's JSON object. Raises UnreadableBody for any other body, and nothing else."""
    try:
        payload = _DECODER.decode(body.decode("utf-8"))
    except UnreadableBody:
        raise
    except UnicodeDecodeError:
        raise UnreadableBody("is not UTF-8") from None
    except RecursionError:
        raise UnreadableBody("is nested too deeply") from None
    except ValueError as error:
        raise UnreadableBody(f"is not JSON: {error}"[:200]) from None
    if not isinstance(payload, dict):
        raise UnreadableBody("is not a JSON object")
    # Counting brackets is quick. The depth is measured only where the count could exceed it.
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and nesting_depth(payload) > MAX_DEPTH:
        raise UnreadableBody("is nested too deeply")
    return payload


def parse_exact(body: bytes, payload: dict[str, Any]) -> dict[str, Any]:
    """Return the payload for hashing: numbers that a float would round keep all their digits.

    `payload` is parse_body's result for this body. It is returned where no number was rounded.
    """
    if not _FRACTION.search(body):
        return payload
    exact: dict[str, Any] = _EXACT_DECODER.decode(body.decode())
    return exact


def content_hash(payload: dict[str, Any], topic: str = "") -> bytes:
    """Return the SHA-256 of the content, the same for every order of keys and spacing.

    `topic` is given where the URL and not the body decides the topic: the same body may then
    arrive by another URL and mean something else, so it needs another hash.
    """
    text = _ENCODER.encode(payload)
    return hashlib.sha256(f"{topic}:{text}".encode() if topic else text.encode()).digest()


def body_hash(body: bytes) -> bytes:
    """Return the SHA-256 of an unreadable body; it never equals a content_hash."""
    return hashlib.sha256(b"raw:" + body).digest()


def keyed_hash(account_id: str, digest: bytes) -> bytes:
    """Return the hash that is stored for a content_hash or body_hash of the account.

    It is keyed by SECRET_KEY: with the plain hash, anybody who reads the table could find out
    whether a guessed phone or address is in a body.
    """
    return hmac.digest(_derived_key(settings.SECRET_KEY), account_id.encode() + digest, "sha256")


@lru_cache(maxsize=4)
def _derived_key(secret_key: str) -> bytes:
    return hashlib.sha256(b"shipcrowd_webhooks.content_hash" + secret_key.encode()).digest()


def _refuse_duplicate_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        raise UnreadableBody("has a key twice in one object")
    return data


def _refuse_constant(name: str) -> Any:
    raise UnreadableBody(f"contains {name}")


def _exact_number(text: str) -> Any:
    """Return a float if it equals the written number, else the number's text in an object."""
    rounded = float(text)
    try:
        same = Decimal(text) == Decimal(repr(rounded))
    except InvalidOperation:  # an exponent of twenty digits
        same = False
    return rounded if same else {"number": text}


# Made once: json.loads and json.dumps with arguments make them for each call.
_DECODER = json.JSONDecoder(
    object_pairs_hook=_refuse_duplicate_keys, parse_constant=_refuse_constant
)
_EXACT_DECODER = json.JSONDecoder(
    object_pairs_hook=_refuse_duplicate_keys,
    parse_constant=_refuse_constant,
    parse_float=_exact_number,
)
_FRACTION = re.compile(rb"\d[.eE]")
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True)
