"""Ekart's callbacks: how they are signed and what they say. Pure.

The document names neither the header nor the encoding of the signature; both are settings.
The topic is not in the body and is told from its fields.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from couriers.contract.errors import Unknown
from couriers.contract.receiver import CourierEvent, MalformedEvent, Topic, WebhookReceiver
from couriers_ekart.conf import ekart_tunables
from couriers_ekart.mapper.answers import scan_from
from couriers_ekart.mapper.schemas import Answer, Milliseconds, Name, OrDefault, Text, TrackDetail


class TrackUpdated(TrackDetail):
    """The body of track_updated; `edd` may be missing, or be no time.

    Only without `id`, `status` and `ctime` there is nothing to be made of it.
    """

    id: Name
    wbn: OrDefault[Text] = ""
    orderNumber: OrDefault[Text] = ""  # noqa: N815 - Ekart's spelling
    edd: OrDefault[Milliseconds | None] = None


class ShipmentCreated(Answer):
    """The body of shipment_created and shipment_recreated."""

    id: Name
    wbn: OrDefault[Name] = ""
    vendor: OrDefault[Name] = ""
    orderNumber: Name  # noqa: N815


class EkartReceiver(WebhookReceiver):
    """HMAC-SHA256 over the raw body, in lower-case hex unless the settings say otherwise."""

    shown_ids = frozenset({"id", "wbn", "orderNumber", "channelId", "ctime", "edd", "attempts"})
    shown_words = frozenset({"status", "ndrStatus", "location", "vendor"})

    def verify(self, body: bytes, headers: Mapping[str, str], secrets: Sequence[str]) -> bool:
        """Whether one of the secrets signed the raw body; constant time, never raises."""
        tunables = ekart_tunables()
        given = next(
            (headers[name] for name in tunables.SIGNATURE_HEADERS if headers.get(name)), ""
        )
        signature = given.removeprefix("sha256=")
        if not signature:
            return False
        digests = [_decode(signature, encoding) for encoding in tunables.SIGNATURE_ENCODINGS]
        matches = [
            hmac.compare_digest(hmac.digest(secret.encode(), body, hashlib.sha256), digest)
            for secret in secrets
            if secret
            for digest in digests
        ]
        return any(matches)

    def topic_of(self, payload: Mapping[str, Any]) -> Topic:
        """Track updates carry a status and a time; creations carry the vendor, recreations too.

        A recreation looks just like a creation: only the platform, which knows the order's first
        tracking id, can tell them apart.
        """
        if "status" in payload and "ctime" in payload:
            return Topic.TRACK_UPDATED
        if "orderNumber" in payload and "id" in payload:
            return Topic.SHIPMENT_CREATED
        return Topic.UNKNOWN

    def parse(self, payload: Mapping[str, Any]) -> Sequence[CourierEvent]:
        """The one event of a callback."""
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
        raise MalformedEvent("is about nothing that Ekart's document knows")


def _track_event(body: TrackUpdated) -> CourierEvent:
    if not 0 < len(body.id) <= 100:
        raise MalformedEvent("id is not a tracking id")
    return CourierEvent(
        topic=Topic.TRACK_UPDATED,
        tracking_id=body.id,
        order_number=body.orderNumber[:100],
        waybill=body.wbn[:100],
        scan=scan_from(body),
        estimated_delivery_ms=body.edd,
    )


def _created_event(body: ShipmentCreated) -> CourierEvent:
    if not 0 < len(body.id) <= 100 or not 0 < len(body.orderNumber) <= 100:
        raise MalformedEvent("id or orderNumber is not one")
    return CourierEvent(
        topic=Topic.SHIPMENT_CREATED,
        tracking_id=body.id,
        order_number=body.orderNumber,
        waybill=body.wbn[:100],
        vendor=body.vendor[:100],
    )


def _decode(signature: str, encoding: str) -> bytes:
    """The signature's bytes, or none that match anything."""
    try:
        if encoding == "base64":
            return base64.b64decode(signature, validate=True)
        return bytes.fromhex(signature) if len(signature) == 64 else b""
    except (ValueError, binascii.Error):
        return b""
