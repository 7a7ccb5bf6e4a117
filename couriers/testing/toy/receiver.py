"""The toy courier's callbacks: a static header, and one event in each body."""

from collections.abc import Mapping, Sequence
from typing import Any

from couriers.contract.reading import Answer, IndiaTime, RequiredId, Text, parse_event
from couriers.contract.receiver import CourierEvent, MalformedEvent, Topic
from couriers.contract.signatures import StaticHeaderReceiver
from couriers.contract.types import Scan
from couriers.testing.toy.statuses import MAPPER

TOPICS = {"order": Topic.SHIPMENT_CREATED, "scan": Topic.TRACK_UPDATED}


class Created(Answer):
    parcel: RequiredId
    order: RequiredId


class Scanned(Created):
    word: Text
    at: IndiaTime
    place: Text = ""


class ToyReceiver(StaticHeaderReceiver):
    shown_ids = frozenset({"about", "parcel", "order", "at"})
    shown_words = frozenset({"word", "place"})

    def secret_header(self) -> str:
        return "x-toy-secret"

    def topic_of(self, payload: Mapping[str, Any]) -> Topic:
        about = payload.get("about")
        return TOPICS.get(about, Topic.UNKNOWN) if isinstance(about, str) else Topic.UNKNOWN

    def parse(self, payload: Mapping[str, Any]) -> Sequence[CourierEvent]:
        topic = self.topic_of(payload)
        if topic is Topic.UNKNOWN:
            raise MalformedEvent("is about nothing that is known")
        body = parse_event(Scanned if topic is Topic.TRACK_UPDATED else Created, payload)
        scan = None
        if isinstance(body, Scanned):
            scan = Scan(MAPPER.map(body.word), body.at, body.place)
        return [CourierEvent(topic, body.parcel, body.order, scan=scan)]
