"""The toy courier's callbacks: a static header, and one event in each body."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from couriers.contract.reading import parse_event
from couriers.contract.receiver import CourierEvent, Topic
from couriers.contract.signatures import StaticHeaderReceiver
from couriers.testing.toy.client import Order, Step

TOPICS = {"order": Topic.SHIPMENT_CREATED, "scan": Topic.TRACK_UPDATED}


class Created(Order):
    about: Literal["order"]


class Scanned(Order, Step):
    about: Literal["scan"]


class ToyReceiver(StaticHeaderReceiver):
    secret_header = "x-toy-secret"  # noqa: S105 - a header's name
    shown_ids = frozenset({"about", "parcel", "order", "at"})
    shown_words = frozenset({"word", "place"})

    def topic_of(self, payload: Mapping[str, Any]) -> Topic:
        return TOPICS.get(str(payload.get("about")), Topic.UNKNOWN)

    def parse(self, payload: Mapping[str, Any]) -> Sequence[CourierEvent]:
        if self.topic_of(payload) is Topic.SHIPMENT_CREATED:
            created = parse_event(Created, payload)
            return [CourierEvent(Topic.SHIPMENT_CREATED, created.parcel, created.order)]
        scanned = parse_event(Scanned, payload)
        scan = scanned.scan()
        return [CourierEvent(Topic.TRACK_UPDATED, scanned.parcel, scanned.order, scan=scan)]
