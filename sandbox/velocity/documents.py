"""Labels: links without a login, as those of an object store, which expire. Drawn when fetched."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass

from aiohttp import web

from sandbox import pdf
from sandbox.velocity.shipments import VelocityShipment
from sandbox.velocity.switches import VelocitySwitches

DOWNLOAD = "/velocity-shazam-sandbox/labels/{name}.pdf"


@dataclass(frozen=True, slots=True)
class _Link:
    shipment: VelocityShipment
    signature: str
    ends_at: float  # seconds since the epoch


class Labels:
    """The links of labels that were answered. There is no call that gives a link again."""

    def __init__(self, switches: VelocitySwitches) -> None:
        self._switches = switches
        self._links: dict[str, _Link] = {}

    def downloads(self) -> list[web.RouteDef]:
        """The files that links point to. They are no operations of the API."""
        return [web.get(DOWNLOAD, self.download)]

    def link(self, shipment: VelocityShipment, request: web.Request) -> str:
        """A new link to a parcel's label, at the origin that the request came to."""
        name, signature = secrets.token_hex(12), secrets.token_hex(16)
        life = self._switches.label_life
        self._links[name] = _Link(shipment, signature, time.time() + life)
        path = request.url.origin().with_path(DOWNLOAD.format(name=name))
        return str(path.with_query({"X-Amz-Expires": f"{life:.0f}", "X-Amz-Signature": signature}))

    async def download(self, request: web.Request) -> web.StreamResponse:
        """The PDF. As at an object store, a login beside the signature is an error."""
        link = self._links.get(request.match_info["name"])
        if link is None:
            return _error(404, "NoSuchKey", "The specified key does not exist.")
        if "Authorization" in request.headers:
            return _error(400, "InvalidArgument", "Only one auth mechanism allowed")
        if request.query.get("X-Amz-Signature") != link.signature:
            return _error(403, "SignatureDoesNotMatch", "The signature does not match.")
        if time.time() >= link.ends_at:
            return _error(403, "AccessDenied", "Request has expired")
        drawn = await asyncio.to_thread(pdf.draw_labels, [_label(link.shipment)])
        return web.Response(body=drawn, content_type="application/pdf")


def _error(status: int, code: str, message: str) -> web.Response:
    text = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return web.Response(status=status, text=text, content_type="application/xml")


def _label(shipment: VelocityShipment) -> pdf.Label:
    body, who = shipment.body, shipment.customer
    assert shipment.carrier is not None
    lines = [
        f"AWB: {shipment.tracking_id}",
        f"Carrier: {shipment.carrier.name}",
        f"Order: {shipment.order_number}",
        f"{body['payment_method']} {shipment.parcel.cod:.2f}",
        f"{'From' if shipment.reverse else 'To'}: {body[f'{who}_customer_name']}",
        *pdf.wrap(body[f"{who}_address"]),
        f"{body[f'{who}_city']}, {body[f'{who}_state']} {body[f'{who}_pincode']}",
    ]
    return pdf.Label(lines, barcode=shipment.tracking_id)
