"""The calls that make documents: labels, and manifests with the address to download them from."""

from __future__ import annotations

import asyncio

from aiohttp import web

from sandbox import pdf
from sandbox.checks import require
from sandbox.ekart.ledger import EkartLedger
from sandbox.ekart.shipments import EkartShipment
from sandbox.ekart.validation import check_ids
from sandbox.errors import NotFound
from sandbox.operations import Operation, read_json

DOWNLOAD = "/manifests/{number}.pdf"


class Documents:
    """Labels and manifests, by tracking ids or waybills: the document names one, Ekart takes both.

    PDFs are drawn in a thread, so that a hundred pages delay no other call.
    """

    def __init__(self, ledger: EkartLedger) -> None:
        self._ledger = ledger

    def operations(self) -> list[Operation]:
        return [
            Operation("label", "POST", "/api/v1/package/label", self.label),
            Operation("manifest", "POST", "/data/v2/generate/manifest", self.manifest),
        ]

    def downloads(self) -> list[web.RouteDef]:
        """The files that answers point to. They are no operations of the API."""
        return [web.get(DOWNLOAD, self.download)]

    async def label(self, request: web.Request) -> web.StreamResponse:
        """A PDF of a page for each id, or the labels' data as JSON.

        An unknown or cancelled shipment is refused in JSON with HTTP 200.
        """
        ids = check_ids(await read_json(request))
        json_only = request.query.get("json_only", "false")
        require(json_only in ("true", "false"), "json_only must be true or false")
        shipments = []
        for number in ids:
            shipment = self._ledger.find_by_either(number)
            if shipment is None or shipment.cancelled:
                problem = "does not exist" if shipment is None else "is cancelled"
                remark = f"Shipment {number} {problem}"
                return web.json_response({"status": False, "remark": remark})
            shipments.append(shipment)
        labels = [_label_data(shipment) for shipment in shipments]
        if json_only == "true":
            return web.json_response(labels)
        drawn = await asyncio.to_thread(pdf.draw_labels, [_label(data) for data in labels])
        return web.Response(body=drawn, content_type="application/octet-stream")

    async def manifest(self, request: web.Request) -> web.StreamResponse:
        ids = check_ids(await read_json(request))
        shipments = [self._ledger.get_by_either(number) for number in ids]
        for shipment in shipments:
            require(not shipment.cancelled, f"Shipment {shipment.tracking_id} is cancelled")
        lines = [f"{s.tracking_id}  {s.wbn}  {s.order_number}" for s in shipments]
        manifest = self._ledger.add_manifest(ids, lines)
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
        manifest = self._ledger.manifests.get(int(number)) if number.isdecimal() else None
        if manifest is None:
            raise NotFound("Manifest does not exist.")
        title = f"Manifest {manifest.number}"
        drawn = await asyncio.to_thread(pdf.draw_list, title, manifest.lines)
        return web.Response(body=drawn, content_type="application/pdf")


def _label_data(shipment: EkartShipment) -> dict[str, str]:
    body = shipment.body
    drop = body["drop_location"]
    return {
        "tracking_id": shipment.tracking_id,
        "wbn": shipment.wbn,
        "order_number": shipment.order_number,
        "vendor": "EKART",
        "payment_mode": body["payment_mode"],
        "cod_amount": str(body["cod_amount"]),
        "weight": str(sum(shipment.package_weights)),
        "seller_name": body["seller_name"],
        "consignee_name": body["consignee_name"],
        "address": shipment.address,
        "city": drop["city"],
        "state": drop["state"],
        "pincode": str(drop["pin"]),
        "phone": shipment.phone,
        "products_desc": body["products_desc"],
    }


def _label(data: dict[str, str]) -> pdf.Label:
    lines = [
        f"Tracking id: {data['tracking_id']}",
        f"Waybill: {data['wbn']}",
        f"Order: {data['order_number']}",
        f"{data['payment_mode']} {data['cod_amount']}",
        f"To: {data['consignee_name']}",
        *pdf.wrap(data["address"]),
        f"{data['city']}, {data['state']} {data['pincode']}",
        f"From: {data['seller_name']}",
    ]
    return pdf.Label(lines, barcode=data["wbn"])
