"""Ekart's adapter for tests: its account, its requests, and the recorded exchanges."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from couriers.booking.drafts import clean_draft
from couriers.booking.preparation import prepare
from couriers.contract.errors import CourierError, Rejected
from couriers.contract.masking import Scrubber, SentValues
from couriers.contract.registry import CourierFactory
from couriers.contract.types import ShipmentRequest
from couriers.resilience.circuit_breaker import CircuitBreaker
from couriers_ekart.adapter import EkartAdapter
from couriers_ekart.client import OPERATIONS, EkartClient
from couriers_ekart.mapper import answers, tracking
from sandbox.process import SandboxProcess
from tests.support.drafts import draft_with
from tests.support.factories import CompanyFactory, CourierAccountFactory, WarehouseFactory

EXCHANGES = Path(__file__).resolve().parents[2] / "fixtures" / "ekart" / "exchanges"


def nothing_sent(answer: Any) -> Any:
    """Return a decoded answer as the client scrubs it after a call that sent nothing private."""
    masked = EkartClient.table.masked_fields
    return Scrubber(SentValues()).scrub_json(answer, word_fields=masked)


def classify_answer(
    status: int,
    body: bytes,
    operation: str = "create_shipment",
    headers: Mapping[str, str] | None = None,
) -> tuple[Any, CourierError | None]:
    """Return an answer as Ekart's client reads it, and its error, of a call that sent nothing."""
    client = EkartClient(CourierAccountFactory.build())
    return client.reader(operation).read(status, headers or {}, body, nothing_sent)


def _label(body: Any) -> Any:
    if isinstance(body, bytes):
        return body
    raise answers.label_error(body)


def _cancellation(body: Any) -> Any:
    try:
        return answers.cancellation_from(body, "T1", None)
    except Rejected as refusal:
        return answers.accept_already_cancelled(refusal, None)


def _registration(body: Any) -> Any:
    try:
        return answers.registration_from(body, "given")
    except Rejected as refusal:
        return answers.accept_already_registered(refusal, "given")


READERS: dict[str, Callable[[Any], Any]] = {
    "create_shipment": answers.booking_from,
    "cancel_shipment": _cancellation,
    "track": tracking.tracking_from,
    "raw_track": lambda body: tracking.history_from(body, "CLTP1"),
    "serviceability": lambda body: answers.serviceability_from(body, "560008"),
    "lane_serviceability": answers.delivery_days_from,
    "bulk_serviceability": lambda body: list(answers.bulk_serviceability_from(body)),
    "estimate": lambda body: answers.quote_from(body, "SURFACE"),
    "manifest": answers.manifest_from,
    "ndr": answers.ndr_from,
    "set_dispatch_date": lambda body: answers.dispatch_refusals_from(body, ["T1", "T2"]),
    "label": _label,
    "add_address": _registration,
}


def adapter_at(url: str) -> EkartAdapter:
    """Return the adapter of a new account with high rate limits."""
    company = CompanyFactory()
    WarehouseFactory(company=company)
    fast = {"count": 1000, "window": 1}
    account = CourierAccountFactory(
        company=company, base_url=url, limits=dict.fromkeys(OPERATIONS, fast)
    )
    adapter = CourierFactory.get_adapter(account)
    assert isinstance(adapter, EkartAdapter)
    return adapter


def request_for(adapter: EkartAdapter, **changes: Any) -> ShipmentRequest:
    """Return a booking request for the adapter, with other values in some fields."""
    draft = draft_with(courier="ekart")
    request = prepare(adapter.account.company, clean_draft(draft)).request
    return dataclasses.replace(request, **changes)


def circuit_of(adapter: EkartAdapter) -> CircuitBreaker:
    """Return the circuit between the adapter's account and Ekart."""
    return CircuitBreaker.of_account("ekart", adapter.account.pk)


def calls_made(sandbox: SandboxProcess) -> int:
    """Return the number of calls that the sandbox has had, of all operations."""
    return sum(sandbox.state()["calls"].values())
