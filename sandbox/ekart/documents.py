"""The calls that answer documents: labels, and manifests with the address that they are kept at."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from sandbox import pdf
from sandbox.ekart.operations import Operation, found, read_json
from sandbox.ekart.validation import Refused, check_ids, demand
from sandbox.ledger import Booked, Books

DOWNLOAD = "/manifests/{number}.pdf"


class Documents:
    """Labels and manifests. Both take tracking ids or waybills: the document says one, means both.

    Drawing is left to a thread, so that a hundred pages keep nobody waiting.
    """

    def __init__(self, books: Books) -> None:
        self._books = books

    def operations(self) -> list[Operation]:
        return [
            Operation("label", "POST", "/api/v1/package/label", self.label),
            Operation("manifest", "POST", "/data/v2/generate/manifest", self.manifest),
        ]

    def downloads(self) -> list[web.RouteDef]:
        """What is no operation of the API: the files that its answers point to."""
        return [web.get(DOWNLOAD, self.download)]

    async def label(self, request: web.Request) -> web.StreamResponse:
        """A page an id as a PDF, or all that is on them as JSON; a refusal is JSON with a 200."""
        ids = check_ids(await read_json(request))
        json_only = request.query.get("json_only", "false")
        demand(json_only in ("true", "false"), "json_only must be true or false")
        shipments = []
        for name in ids:
            shipment = self._books.find_by_any(name)
            if shipment is None or shipment.cancelled:
                fate = "does not exist" if shipment is None else "is cancelled"
                return web.json_response({"status": False, "remark": f"Shipment {name} {fate}"})
            shipments.append(shipment)
        labels = [_label(shipment) for shipment in shipments]
        if json_only == "true":
            return web.json_response(labels)
        drawn = await asyncio.to_thread(pdf.labels, labels)
        return web.Response(body=drawn, content_type="application/octet-stream")

    async def manifest(self, request: web.Request) -> web.StreamResponse:
        ids = check_ids(await read_json(request))
        shipments = [found(self._books.find_by_any(name)) for name in ids]
        for shipment in shipments:
            demand(not shipment.cancelled, f"Shipment {shipment.tracking_id} is cancelled")
        lines = [f"{s.tracking_id}  {s.wbn}  {s.order_number}" for s in shipments]
        manifest = self._books.make_manifest(ids, lines)
        path = DOWNLOAD.format(number=manifest.number)
        return web.json_response(
            {
                "ctime": manifest.ctime,
                "manifestNumber": manifest.number,
                "manifestDownloadUrl": str(request.url.origin().with_path(path)),
            }
        )

    async def download(self, request: web.Request) -> web.StreamResponse:
        number = request.match_info["number"]
        manifest = self._books.manifests.get(int(number)) if number.isdecimal() else None
        if manifest is None:
            raise Refused(
                "Manifest does not exist.", status=404, code="SWIFT_RESOURCE_NOT_FOUND_EXCEPTION"
            )
        drawn = await asyncio.to_thread(pdf.manifest, manifest.number, manifest.lines)
        return web.Response(body=drawn, content_type="application/pdf")


def _label(shipment: Booked) -> dict[str, Any]:
    """What a label says."""
    body = shipment.body
    drop = body["drop_location"]
    return {
        "tracking_id": shipment.tracking_id,
        "wbn": shipment.wbn,
        "order_number": shipment.order_number,
        "vendor": "EKART",
        "payment_mode": body["payment_mode"],
        "cod_amount": str(body["cod_amount"]),
        "weight": str(sum(shipment.packages)),
        "seller_name": body["seller_name"],
        "consignee_name": body["consignee_name"],
        "address": shipment.address,
        "city": drop["city"],
        "state": drop["state"],
        "pincode": str(drop["pin"]),
        "phone": shipment.phone,
        "products_desc": body["products_desc"],
    }
