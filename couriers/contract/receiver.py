"""WebhookReceiver: how a courier's callbacks are verified and read.

A plug-in registers one with the factory; the inbox asks the factory for it. A receiver is pure:
it sees bytes and headers and an account's secrets, and touches neither database nor network.
"""

from __future__ import annotations

import abc
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from couriers.contract.types import Scan


class Topic(enum.StrEnum):
    """What a callback is about, in the same words for every courier."""

    TRACK_UPDATED = "track_updated"
    SHIPMENT_CREATED = "shipment_created"
    SHIPMENT_RECREATED = "shipment_recreated"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CourierEvent:
    """One thing that a callback tells of one shipment.

    `scan` is given for track_updated; the ids for created and recreated (order number → tracking
    id). `estimated_delivery_ms` is milliseconds since the epoch, or None.
    """

    topic: Topic
    tracking_id: str
    order_number: str = ""
    waybill: str = ""
    vendor: str = ""
    scan: Scan | None = None
    estimated_delivery_ms: int | None = None


class MalformedEvent(ValueError):
    """A callback that is authentic but cannot be read; the message says why."""


class WebhookReceiver(abc.ABC):
    """The contract of a courier's callbacks; all three methods are the plug-in's to give.

    People are shown the fields that the plug-in names, and of no other more than its name:
    `shown_ids` (ids, times, counts) as they are, `shown_words` without what may be a phone number.
    Neither may tell of a person, nor may what is inside them.
    """

    shown_ids: ClassVar[frozenset[str]] = frozenset({"id"})
    shown_words: ClassVar[frozenset[str]] = frozenset({"status"})

    @abc.abstractmethod
    def verify(self, body: bytes, headers: Mapping[str, str], secrets: Sequence[str]) -> bool:
        """Whether the raw body was signed with one of the secrets (current first, previous next).

        Compares in constant time, never raises, and is False when there is no secret at all.
        """

    @abc.abstractmethod
    def topic_of(self, payload: Mapping[str, Any]) -> Topic:
        """What the callback is about; Topic.UNKNOWN rather than an error."""

    @abc.abstractmethod
    def parse(self, payload: Mapping[str, Any]) -> Sequence[CourierEvent]:
        """The events in a callback. Raises MalformedEvent with the reason, nothing else."""
