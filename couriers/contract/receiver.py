"""WebhookReceiver: verifies and parses a courier's callbacks.

A plug-in registers one with CourierFactory, and the inbox asks the factory for it. A receiver gets
a callback and an account's secrets; it uses neither database nor network. Most receivers derive
from one of couriers.contract.signatures, which verify.
"""

from __future__ import annotations

import abc
import base64
import enum
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from couriers.contract.types import Scan


class Topic(enum.StrEnum):
    """What a callback is about; the same topics for every courier."""

    TRACK_UPDATED = "track_updated"
    SHIPMENT_CREATED = "shipment_created"
    SHIPMENT_RECREATED = "shipment_recreated"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CourierEvent:
    """One event of one shipment, read from a callback.

    TRACK_UPDATED has a `scan`; SHIPMENT_CREATED and SHIPMENT_RECREATED have the order number and
    its tracking id. `estimated_delivery_ms` is milliseconds since the epoch, or None.
    """

    topic: Topic
    tracking_id: str
    order_number: str = ""
    waybill: str = ""
    vendor: str = ""
    scan: Scan | None = None
    estimated_delivery_ms: int | None = None


class MalformedEvent(ValueError):
    """A callback with a valid signature cannot be parsed. The message says why."""


@dataclass(frozen=True, slots=True, repr=False)
class Callback:
    """A request to the inbox, as its sender made it. Its repr shows nothing.

    `headers` are looked up by case-insensitive name. `query` has the last value of each parameter.
    `address` is the sender's IP address, "" if it is unknown; a receiver may check it beside a
    secret, never alone.
    """

    body: bytes
    headers: Mapping[str, str]
    query: Mapping[str, str] = field(default_factory=dict)
    address: str = ""


class WebhookReceiver(abc.ABC):
    """Verifies and parses the callbacks of one courier. A plug-in implements the three methods.


    `own_path_topics` are the topics that the courier's bodies do not tell from others. Each has a
    URL of its own, whose path ends with the topic, and a secret of its own (`topic_secret`).

    Operators see the values of the fields in `shown_ids` (ids, times, counts) unchanged. In the
    values of the fields in `shown_words`, possible phone numbers are masked. Of other fields they
    see only the names. A plug-in must not list a field that can hold personal data. A listed name
    applies at any depth.
    """

    own_path_topics: ClassVar[frozenset[Topic]] = frozenset()
    shown_ids: ClassVar[frozenset[str]] = frozenset({"id"})
    shown_words: ClassVar[frozenset[str]] = frozenset({"status"})
    # The fewest and the most characters of a webhook secret that the courier takes.
    secret_length: ClassVar[tuple[int, int] | None] = None

    @property
    def secret_header(self) -> str:
        """The header in which the courier sends the webhook secret itself, as it is.

        "" where it signs, or chooses the header. People are told it with the secret. A plug-in sets
        it as an attribute; where it is a setting, as a property.
        """
        return ""

    @abc.abstractmethod
    def verify(self, callback: Callback, secrets: Sequence[str]) -> bool:
        """Whether the callback was made with one of the secrets, the current one first.

        Compares in constant time and never raises. False where there are no secrets.
        """

    def sign(self, body: bytes, secret: str) -> Mapping[str, str]:
        """Return the headers with which the courier would send a body to the account's own path.

        The platform sends itself a test callback with them. {} where the plug-in does not say.
        """
        return {}

    def explain_refusal(self, callback: Callback, secrets: Sequence[str]) -> str:
        """Return how a refused callback was made with one of the secrets after all, in a sentence.

        For example in another header or encoding than the settings name; the sentence says what to
        set, and holds neither the signature nor a secret. "" where nothing is proven: the callback
        may be a stranger's. Compares in constant time and never raises. The headers are at most 20
        whose values are as long as signatures are. It is called for a sample of the refused
        callbacks, outside the request; the callback stays refused.
        """
        return ""

    def secret_problem(self, secret: str) -> str | None:
        """Return why the courier would not take the webhook secret, or None.

        The text continues the secret's name: "must have …".
        """
        fewest, most = self.secret_length or (0, len(secret))
        if fewest <= len(secret) <= most:
            return None
        return f"must have {fewest} to {most} characters"

    @abc.abstractmethod
    def topic_of(self, payload: Mapping[str, Any]) -> Topic:
        """Return what the callback is about, Topic.UNKNOWN if that cannot be read. Never raises."""

    @abc.abstractmethod
    def parse(self, payload: Mapping[str, Any]) -> Sequence[CourierEvent]:
        """Return the events in a callback. Raises only MalformedEvent, with the reason."""


TOPIC_SECRET_LENGTH = 30  # characters, which have 180 bits


def topic_secret(secret: str, topic: Topic) -> str:
    """Return the secret that callbacks to the topic's own path are signed with.

    It is derived from the account's secret, so it is rotated with it, and neither can be computed
    from a signed body. A body that was signed for one path is therefore refused at every other.
    """
    digest = hmac.digest(secret.encode(), f"topic:{topic.value}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode()[:TOPIC_SECRET_LENGTH]
