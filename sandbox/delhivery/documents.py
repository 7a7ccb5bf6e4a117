"""The calls for documents: labels and proofs of delivery behind signed links, e-way bills.

A link is fetched without the key: the storage refuses a request with two proofs.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from sandbox import pdf
from sandbox.checks import require
from sandbox.delhivery.accounts import Accounts
from sandbox.delhivery.callbacks import IMAGE
from sandbox.delhivery.ledger import DelhiveryLedger
from sandbox.delhivery.shipments import DelhiveryShipment
from sandbox.delhivery.switches import DelhiverySwitches
from sandbox.operations import Operation, read_json

MOST_LABELS = 50
SIZES = ("4R", "A4")
PROOF_LIFE = 7 * 86_400.0  # seconds
DOCUMENTS = ("EPOD", "SIGNATURE_URL", "RVP_QC_IMAGE", "SELLER_RETURN_IMAGE")
TWO_PROOFS = (
    "<Error><Code>InvalidArgument</Code><Message>Only one auth mechanism allowed</Message></Error>"
)
EXPIRED = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"


class Documents:
    """Documents of shipments. PDFs are drawn in a thread, so that they delay no other call."""

    def __init__(
        self, accounts: Accounts, ledger: DelhiveryLedger, switches: DelhiverySwitches
    ) -> None:
        self._accounts = accounts
        self._ledger = ledger
        self._switches = switches
        # When each link that was given out expires, by its signature.
        self._links: dict[str, float] = {}

    def operations(self) -> list[Operation]:
        return [
            Operation("label", "GET", "/api/p/packing_slip", self.label),
            Operation("document", "GET", "/api/rest/fetch/pkg/document/", self.document),
            Operation("e_way_bill", "PUT", "/api/rest/ewaybill/{waybill}/", self.e_way_bill),
        ]

    def downloads(self) -> list[web.RouteDef]:
        """The files that links point to. They are no operations of the API."""
        return [
            web.get("/_storage/labels/{waybill}.pdf", self.download_label),
            web.get("/_storage/documents/{waybill}/{type}.jpg", self.download_document),
        ]

    async def label(self, request: web.Request) -> web.StreamResponse:
        """A link to a PDF for each waybill, or with pdf=false the label's data."""
        client = self._accounts.client_of(request)
        waybills = request.query.get("wbns", "").split(",")
        require(all(waybills) and len(waybills) <= MOST_LABELS, "wbns is required")
        as_pdf = request.query.get("pdf", "false")
        require(as_pdf in ("true", "false"), "pdf must be true or false")
        require(request.query.get("pdf_size", "A4") in SIZES, f"pdf_size: {' or '.join(SIZES)}")
        found = [self._ledger.of_client(client, number) for number in waybills]
        packages = [
            self._slip(request, one, as_pdf=as_pdf == "true") for one in found if one is not None
        ]
        return web.json_response({"packages": packages, "packages_found": len(packages)})

    def _slip(
        self, request: web.Request, one: DelhiveryShipment, *, as_pdf: bool
    ) -> dict[str, Any]:
        if not as_pdf:
            return _label_data(one)
        path = f"/_storage/labels/{one.tracking_id}.pdf"
        return {
            "wbn": one.tracking_id,
            "pdf_download_link": self._link(request, path, self._switches.link_life),
            "pdf_encoding": "",
        }

    def _link(self, request: web.Request, path: str, life: float) -> str:
        signature = secrets.token_hex(16)
        self._links[signature] = time.time() + life
        url = request.url.origin().with_path(path)
        return str(url.with_query({"Expires": int(time.time() + life), "Signature": signature}))

    async def document(self, request: web.Request) -> web.StreamResponse:
        """Links to the proofs of a delivery, which there are only after it."""
        client = self._accounts.client_of(request)
        kind = request.query.get("doc_type", "")
        require(kind in DOCUMENTS, f"doc_type must be one of {', '.join(DOCUMENTS)}")
        one = self._ledger.of_client(client, request.query.get("waybill", ""))
        if one is None:
            return _no_document("Invalid waybill passed", 400)
        if one.now.type != "DL" or (kind == "SELLER_RETURN_IMAGE") != (one.now.word == "RTO"):
            return _no_document("No document found", 404)
        path = f"/_storage/documents/{one.tracking_id}/{kind}.jpg"
        links = [self._link(request, path, PROOF_LIFE)]
        return web.json_response({"success": True, "message": "", "data": {kind: links}})

    async def e_way_bill(self, request: web.Request) -> web.StreamResponse:
        """Note the e-way bills of a shipment; refused with HTTP 200."""
        client, body = self._accounts.client_of(request), await read_json(request)
        bills = body.get("data")
        require(isinstance(bills, list) and bills != [], "data must be a list of e-way bills")
        assert isinstance(bills, list)
        one = self._ledger.of_client(client, request.match_info["waybill"])
        if one is None:
            return web.json_response({"success": False, "message": "Invalid waybill"})
        for bill in bills:
            is_whole = isinstance(bill, dict) and bool(bill.get("dcn"))
            require(is_whole, "dcn is required")
            number = str(bill.get("ewbn", ""))
            require(bool(re.fullmatch("[0-9]{12}", number)), "ewbn must have twelve digits")
        one.e_way_bills += [str(bill["ewbn"]) for bill in bills]
        return web.json_response({"success": True, "message": "Updated"}, status=201)

    async def download_label(self, request: web.Request) -> web.StreamResponse:
        if problem := self._link_problem(request):
            return problem
        one = self._ledger.get(request.match_info["waybill"])
        label = pdf.Label(_label_lines(one), barcode=one.tracking_id)
        drawn = await asyncio.to_thread(pdf.draw_labels, [label])
        return web.Response(body=drawn, content_type="application/pdf")

    async def download_document(self, request: web.Request) -> web.StreamResponse:
        if problem := self._link_problem(request):
            return problem
        return web.Response(body=IMAGE, content_type="image/jpeg")

    def _link_problem(self, request: web.Request) -> web.Response | None:
        """The storage's refusal of a request that has the key, or a link that is over."""
        if "Authorization" in request.headers:
            return web.Response(status=400, text=TWO_PROOFS, content_type="application/xml")
        if self._links.get(request.query.get("Signature", ""), 0.0) < time.time():
            return web.Response(status=403, text=EXPIRED, content_type="application/xml")
        return None


def _no_document(words: str, status: int) -> web.Response:
    return web.json_response({"success": False, "message": words, "data": {}}, status=status)


def _label_data(one: DelhiveryShipment) -> dict[str, Any]:
    body = one.body
    return {
        "wbn": one.tracking_id,
        "oid": one.order_number,
        "name": one.changes.get("name") or body["name"],
        "address": one.changes.get("add") or body["add"],
        "contact": one.changes.get("phone") or body["phone"],
        "pin": int(body["pin"]),
        "pt": one.mode,
        "cod": one.cod_amount,
        "rs": one.total_amount,
        "prd": body.get("products_desc", ""),
        "weight": body.get("weight"),
        "snm": one.client,
    }


def _label_lines(one: DelhiveryShipment) -> Sequence[str]:
    data = _label_data(one)
    return [
        f"Waybill: {data['wbn']}",
        f"Order: {data['oid']}",
        f"{data['pt']} {data['cod']}",
        f"To: {data['name']}",
        *pdf.wrap(str(data["address"])),
        f"{data['pin']}",
        f"From: {data['snm']}",
    ]
