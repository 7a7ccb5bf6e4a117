"""Read the events of Ekart's callbacks. Pure.

The body does not name its topic, which follows from its fields.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from couriers.contract.errors import Unknown
from couriers.contract.receiver import CourierEvent, MalformedEvent, Topic
from couriers.contract.signatures import HmacReceiver
from couriers_ekart.conf import ekart_tunables
from couriers_ekart.mapper.answers import scan_from
from couriers_ekart.mapper.schemas import (
    Answer,
    Identifier,
    Milliseconds,
    OrDefault,
    Text,
    TrackDetail,
)

MIN_SECRET, MAX_SECRET = 6, 30  # characters
MAX_ID = 100  # characters of a tracking id or an order number


class TrackUpdated(TrackDetail):
    """The body of track_updated. Only `id`, `status` and `ctime` are needed.

    Every other field counts as missing if it cannot be read.
    """

    id: Identifier
    wbn: OrDefault[Text] = ""
    orderNumber: OrDefault[Text] = ""  # noqa: N815 - Ekart's spelling
    edd: OrDefault[Milliseconds | None] = None


class ShipmentCreated(Answer):
    """The body of shipment_created and shipment_recreated."""

    id: Identifier
    wbn: OrDefault[Identifier] = ""
    vendor: OrDefault[Identifier] = ""
    orderNumber: Identifier  # noqa: N815


class EkartReceiver(HmacReceiver):
    """Ekart signs the raw body with HMAC-SHA256, in hex unless the settings say otherwise."""

    own_path_topics = frozenset({Topic.SHIPMENT_RECREATED})
    shown_ids = frozenset({"id", "wbn", "orderNumber", "channelId", "ctime", "edd", "attempts"})
    shown_words = frozenset({"status", "ndrStatus", "location", "vendor"})

    @property
    def signature_headers(self) -> Sequence[str]:
        """The headers of SIGNATURE_HEADERS."""
        return ekart_tunables().SIGNATURE_HEADERS

    @property
    def signature_encodings(self) -> Sequence[str]:
        """The encodings of SIGNATURE_ENCODINGS."""
        return ekart_tunables().SIGNATURE_ENCODINGS

    def secret_problem(self, secret: str) -> str | None:
        """Return why Ekart would not take the secret (Ekart API 3.8.8, webhookRequest), or None."""
        if MIN_SECRET <= len(secret) <= MAX_SECRET:
            return None
        return f"must have {MIN_SECRET} to {MAX_SECRET} characters"

    def topic_of(self, payload: Mapping[str, Any]) -> Topic:
        """Tell a track update (by its status and time) from a creation (by its order and id).

        A recreation has the same fields as a creation: the path that it was signed for tells them
        apart.
        """
        if "status" in payload and "ctime" in payload:
            return Topic.TRACK_UPDATED
        if "orderNumber" in payload and "id" in payload:
            return Topic.SHIPMENT_CREATED
        return Topic.UNKNOWN

    def parse(self, payload: Mapping[str, Any]) -> Sequence[CourierEvent]:
        """Return the callback's single event. Raises MalformedEvent, naming what is wrong."""
        topic = self.topic_of(payload)
        try:
            if topic == Topic.TRACK_UPDATED:
                return [_track_event(TrackUpdated.model_validate(payload))]
            if topic == Topic.SHIPMENT_CREATED:
                return [_created_event(ShipmentCreated.model_validate(payload))]
        except ValidationError as error:
            fields = ", ".join(".".join(map(str, e["loc"])) for e in error.errors())
            raise MalformedEvent(f"cannot be read: {fields[:200]}") from None
        except Unknown as error:
            raise MalformedEvent(error.message) from None
        raise MalformedEvent("has no topic of Ekart's document")


def _track_event(body: TrackUpdated) -> CourierEvent:
    if not 0 < len(body.id) <= MAX_ID:
        raise MalformedEvent(f"id does not have 1 to {MAX_ID} characters")
    return CourierEvent(
        topic=Topic.TRACK_UPDATED,
        tracking_id=body.id,
        order_number=body.orderNumber[:MAX_ID],
        waybill=body.wbn[:MAX_ID],
        scan=scan_from(body),
        estimated_delivery_ms=body.edd,
    )


def _created_event(body: ShipmentCreated) -> CourierEvent:
    if not 0 < len(body.id) <= MAX_ID or not 0 < len(body.orderNumber) <= MAX_ID:
        raise MalformedEvent(f"id or orderNumber does not have 1 to {MAX_ID} characters")
    return CourierEvent(
        topic=Topic.SHIPMENT_CREATED,
        tracking_id=body.id,
        order_number=body.orderNumber,
        waybill=body.wbn[:MAX_ID],
        vendor=body.vendor[:MAX_ID],
    )
