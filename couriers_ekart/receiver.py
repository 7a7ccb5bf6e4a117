"""Read the events of Ekart's callbacks. Pure.

The body does not name its topic, which follows from its fields.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from couriers.contract.reading import (
    Answer,
    Identifier,
    MillisecondsTime,
    OrDefault,
    RequiredId,
    parse_event,
)
from couriers.contract.receiver import CourierEvent, MalformedEvent, Topic
from couriers.contract.signatures import HmacReceiver
from couriers_ekart.conf import EkartTunables
from couriers_ekart.mapper.tracking import TrackDetail, scan_from


class TrackUpdated(TrackDetail):
    """The body of track_updated. Only `id`, `status` and `ctime` are needed.

    Every other field counts as missing if it cannot be read.
    """

    id: RequiredId
    wbn: OrDefault[Identifier] = ""
    orderNumber: OrDefault[Identifier] = ""  # noqa: N815 - Ekart's spelling
    edd: OrDefault[MillisecondsTime | None] = None


class ShipmentCreated(Answer):
    """The body of shipment_created and shipment_recreated."""

    id: RequiredId
    wbn: OrDefault[Identifier] = ""
    vendor: OrDefault[Identifier] = ""
    orderNumber: RequiredId  # noqa: N815


class EkartReceiver(HmacReceiver):
    """Ekart signs the raw body with HMAC-SHA256, in hex unless the settings say otherwise."""

    secret_length = (6, 30)  # schema `webhookRequest`
    own_path_topics = frozenset({Topic.SHIPMENT_RECREATED})
    shown_ids = frozenset({"id", "wbn", "orderNumber", "channelId", "ctime", "edd", "attempts"})
    shown_words = frozenset({"status", "ndrStatus", "location", "vendor"})

    @property
    def signature_headers(self) -> Sequence[str]:
        """The headers of SIGNATURE_HEADERS."""
        return EkartTunables.of("ekart").SIGNATURE_HEADERS

    @property
    def signature_encodings(self) -> Sequence[str]:
        """The encodings of SIGNATURE_ENCODINGS."""
        return EkartTunables.of("ekart").SIGNATURE_ENCODINGS

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
        if topic == Topic.TRACK_UPDATED:
            update = parse_event(TrackUpdated, payload)
            edd = update.edd
            event = CourierEvent(
                topic=topic,
                tracking_id=update.id,
                order_number=update.orderNumber,
                waybill=update.wbn,
                scan=scan_from(update),
                estimated_delivery_ms=None if edd is None else round(edd.timestamp() * 1000),
            )
        elif topic == Topic.SHIPMENT_CREATED:
            creation = parse_event(ShipmentCreated, payload)
            event = CourierEvent(
                topic=topic,
                tracking_id=creation.id,
                order_number=creation.orderNumber,
                waybill=creation.wbn,
                vendor=creation.vendor,
            )
        else:
            raise MalformedEvent("has no topic of Ekart's document")
        return [event]
