"""The calls about money, each five times a minute: what parcels cost, and the COD that was paid."""

from __future__ import annotations

import datetime as dt
import time
from collections import deque
from typing import Any

from aiohttp import web

from sandbox.errors import NotFound
from sandbox.india import INDIA
from sandbox.operations import Operation, read_json
from sandbox.velocity import answers
from sandbox.velocity.carriers import PLATFORM_FEE
from sandbox.velocity.ledger import VelocityLedger
from sandbox.velocity.shipments import VelocityShipment
from sandbox.velocity.validation import MOST_FINANCE, check_awbs
from sandbox.velocity.words import CANCELLED, DELIVERED

PATH = "/custom/api/v1"
CALLS, WINDOW_SECONDS = 5, 60
GST = 0.18
REMITTED_AFTER = dt.timedelta(days=8)


class _Limit:
    """How often a call is taken in a minute."""

    def __init__(self) -> None:
        self._taken: deque[float] = deque()

    def take(self) -> bool:
        """Count a call; False where it is one too many."""
        now = time.monotonic()
        while self._taken and self._taken[0] <= now - WINDOW_SECONDS:
            self._taken.popleft()
        if len(self._taken) >= CALLS:
            return False
        self._taken.append(now)
        return True


class Finance:
    """Charges and remittances by AWB. A date of remittance is there also while it is unpaid."""

    def __init__(self, ledger: VelocityLedger) -> None:
        self._ledger = ledger
        self._limits = {"charges": _Limit(), "remittance": _Limit()}

    def operations(self) -> list[Operation]:
        return [
            Operation("shipping_charges", "POST", f"{PATH}/shipping-charges", self.charges),
            Operation("cod_remittance", "POST", f"{PATH}/cod-remittance", self.remittance),
        ]

    async def charges(self, request: web.Request) -> web.StreamResponse:
        if not self._limits["charges"].take():
            return answers.rate_limited()
        awbs = check_awbs(await read_json(request), MOST_FINANCE)
        return web.json_response({"data": [self._charges(awb) for awb in dict.fromkeys(awbs)]})

    async def remittance(self, request: web.Request) -> web.StreamResponse:
        if not self._limits["remittance"].take():
            return answers.rate_limited()
        awbs = check_awbs(await read_json(request), MOST_FINANCE)
        return web.json_response({"data": [self._remittance(awb) for awb in dict.fromkeys(awbs)]})

    def _charges(self, awb: str) -> dict[str, Any]:
        try:
            shipment = self._ledger.get(awb)
        except NotFound:
            return _unknown(awb)
        events = [
            ("shipment_debit", "debit", shipment.prices["total"]),
            ("platform_fee", "debit", PLATFORM_FEE),
        ]
        if shipment.status in CANCELLED:
            events.append(("shipment_credit", "credit", shipment.prices["total"]))
        return {
            "tracking_number": awb,
            "charges": [
                {
                    "event_type": event,
                    "transaction_type": kind,
                    "amount_without_gst": round(rupees / (1 + GST), 2),
                    "amount_with_gst": rupees,
                }
                for event, kind, rupees in events
            ],
        }

    def _remittance(self, awb: str) -> dict[str, Any]:
        try:
            shipment = self._ledger.get(awb)
        except NotFound:
            return _unknown(awb)
        if shipment.parcel.cod == 0:
            return {"tracking_number": awb, "error": f"AWB {awb} is a prepaid order."}
        delivered, scheduled = _dates(shipment)
        return {
            "tracking_number": awb,
            "delivery_date": delivered,
            "cod_amount": shipment.parcel.cod,
            "remittance_date": scheduled,
            "utr_no": shipment.utr_no or None,
        }


def _unknown(awb: str) -> dict[str, Any]:
    return {"tracking_number": awb, "error": f"AWB {awb} does not exist in your account."}


def _dates(shipment: VelocityShipment) -> tuple[str | None, str]:
    """When it was delivered, and when its COD is to be paid or was."""
    delivered_ms = shipment.time_of(*DELIVERED)
    start = dt.datetime.fromtimestamp((delivered_ms or shipment.made_ms) / 1000, INDIA)
    delivered = start.date().isoformat() if delivered_ms else None
    return delivered, (start + REMITTED_AFTER).date().isoformat()
