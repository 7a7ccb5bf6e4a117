"""Delhivery's adapter for tests: its account, its requests, and the recorded exchanges."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from couriers.contract.errors import CourierError
from couriers.contract.masking import Scrubber, SentValues
from couriers.contract.registry import CourierFactory
from couriers.contract.types import (
    Address,
    Direction,
    Item,
    Parcel,
    PaymentMode,
    Pickup,
    Seller,
    ShipmentRequest,
)
from couriers.models import CourierAccount
from couriers_delhivery.adapter import DelhiveryAdapter
from couriers_delhivery.client import OPERATIONS, DelhiveryClient
from couriers_delhivery.mapper import answers, tracking
from sandbox.process import SandboxProcess
from tests.support.factories import CompanyFactory, CourierAccountFactory, CourierRowFactory

EXCHANGES = Path(__file__).resolve().parents[2] / "fixtures" / "delhivery" / "exchanges"
LOGIN = {"api_token": "key-of-the-tests-0123456789", "client_name": "ACME SURFACE"}
WAYBILL = "84300000000015"

REQUEST = ShipmentRequest(
    order_number="A-1",
    order_date=dt.date(2026, 11, 23),
    direction=Direction.FORWARD,
    payment_mode=PaymentMode.PREPAID,
    cod_amount=Decimal(0),
    consignee=Address(
        "Asha Sample", "9876543210", "9, Secret Lane", "Pune", "Maharashtra", "411004"
    ),
    items=(Item("T-shirt", 2, Decimal("1523.00"), Decimal(12), "TS-1", "T-shirt", "6109"),),
    parcel=Parcel(240, 30, 22, 8),
    seller=Seller("Acme", "29AAGCR4375J1ZU", "1, Example Road", "Karnataka"),
    pickup=Pickup(
        "whs_tests",
        "Main Gate  1",
        Address("Main gate", "9845012345", "1, Example Road", "Bengaluru", "Karnataka", "560001"),
    ),
    invoice_number="INV-1",
)


def request_with(**changes: Any) -> ShipmentRequest:
    """Return the sample request with other values in some fields."""
    return dataclasses.replace(REQUEST, **changes)


def return_with(**changes: Any) -> ShipmentRequest:
    """Return the sample request as a return."""
    return request_with(direction=Direction.REVERSE, return_reason="Wrong size", **changes)


def account_at(url: str, **login: str) -> CourierAccount:
    """Store an account with high rate limits."""
    return CourierAccountFactory(
        company=CompanyFactory(),
        courier=CourierRowFactory(code="delhivery", name="Delhivery"),
        base_url=url,
        login={**LOGIN, **login},
        limits={name: {"count": 10_000, "window": 1} for name in OPERATIONS},
    )


def adapter_at(url: str, **login: str) -> DelhiveryAdapter:
    """Return the adapter of a new account."""
    adapter = CourierFactory.get_adapter(account_at(url, **login))
    assert isinstance(adapter, DelhiveryAdapter)
    return adapter


def nothing_sent(answer: Any) -> Any:
    """Return a decoded answer as the client scrubs it after a call that sent nothing private."""
    masked = DelhiveryClient.table.masked_fields
    return Scrubber(SentValues()).scrub_json(answer, word_fields=masked)


def classify_answer(
    status: int, body: bytes, operation: str, headers: Mapping[str, str] | None = None
) -> tuple[Any, CourierError | None]:
    """Return an answer as Delhivery's client reads it, and its error, if nothing was sent."""
    client = DelhiveryClient(CourierAccountFactory.build(courier__code="delhivery", login=LOGIN))
    return client.reader(operation).read(status, headers or {}, body, nothing_sent)


def _done(operation: str) -> Callable[[Any], Any]:
    return lambda body: answers.READER.parse_accepted(answers.Done, body, operation).remark


READERS: dict[str, Callable[[Any], Any]] = {
    "create_shipment": lambda body: answers.booking_from(body, REQUEST, 1),
    "fetch_numbers": lambda body: body.get("numbers", []),
    "edit": _done("edit"),
    "track": lambda body: next(iter(tracking.trackings_from(body).values())),
    "ndr": lambda body: answers.READER.parse(answers.Queued, body, "ndr").request_id,
    "ndr_outcome": lambda body: answers.outcome_from(body, WAYBILL, "UPL1"),
    "pickup": lambda body: answers.READER.parse(answers.Pickup, body, "pickup").result(),
    "label": lambda body: answers.label_from(body, WAYBILL),
    "document": lambda body: answers.proof_from(body, WAYBILL),
    "charges": lambda body: answers.quote_from(body, "Surface"),
    "transit": answers.days_from,
    "pincodes": lambda body: list(answers.pincodes_from(body)),
    "create_warehouse": _done("create_warehouse"),
}


def read(operation: str, status: int, body: bytes) -> Any:
    """Return what is read of an answer. Raises a CourierError."""
    decoded, failure = classify_answer(status, body, operation)
    if failure:
        raise failure
    return READERS[operation](decoded)


class DelhiverySandbox(SandboxProcess):
    """Delhivery's stand-in for tests, on hold, with the login of `LOGIN`."""

    def __init__(self, *flags: str) -> None:
        login = ("--key", LOGIN["api_token"], "--client-name", LOGIN["client_name"])
        super().__init__("delhivery", "--hold", *login, *flags)

    def booked(self, order_number: str) -> list[str]:
        """Return the waybills of all bookings of an order."""
        return [s["tracking_id"] for s in self.shipments() if s["order_number"] == order_number]

    def switch(self, **values: Any) -> None:
        """Switch oddities of the stand-in."""
        self._ask("/_sandbox/switches", values, "PUT")

    def advance(self, waybill: str, status: str) -> None:
        """Put a parcel into a status, as type, word and code."""
        self.post("/_sandbox/advance", {"tracking_id": waybill, "status": status})


def registered(adapter: DelhiveryAdapter, **changes: Any) -> ShipmentRequest:
    """Return a request of a warehouse that Delhivery knows, with a reserved number."""
    pickup = dataclasses.replace(REQUEST.pickup, reference="")
    reference = adapter.create_warehouse(pickup).reference
    return request_with(
        pickup=dataclasses.replace(pickup, reference=reference),
        **{"reserved_id": adapter.reserve_ids(1)[0], **changes},
    )
