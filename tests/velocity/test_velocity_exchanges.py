"""Recorded exchanges (fixtures/velocity/exchanges), which the adapter gets from a real server."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from couriers.contract import errors
from couriers.contract.actions import ReattemptRequest
from couriers.contract.types import Direction, PaymentMode, RateRequest
from couriers_velocity.adapter import VelocityAdapter
from tests.support.velocity import EXCHANGES, ChosenAnswers, account_at, adapter_of, request_for

pytestmark = pytest.mark.django_db
AWB = "341234560000001"
BACK = {"direction": Direction.REVERSE, "return_reason": "Wrong size"}


@pytest.fixture
def server() -> Iterator[ChosenAnswers]:
    with ChosenAnswers().running() as running:
        yield running


def order(adapter: VelocityAdapter, **changes: Any) -> Any:
    return request_for(adapter, order_number="A-1", **changes)


def lane(adapter: VelocityAdapter) -> RateRequest:
    parcel = request_for(adapter).parcel
    return RateRequest("560001", "110001", parcel, PaymentMode.PREPAID, Decimal(1000))


CALLS: dict[str, Callable[[VelocityAdapter], Any]] = {
    "create_shipment": lambda a: a.create_shipment(order(a)),
    "create_return": lambda a: a.create_reverse_shipment(order(a, **BACK)),
    "find_shipment": lambda a: a.find_booking(order(a)),
    "find_return": lambda a: a.find_booking(order(a, **BACK)),
    "track": lambda a: a.track_shipment(AWB),
    "cancel_shipment": lambda a: a.cancel_shipment(AWB),
    "reattempt": lambda a: a.request_reattempt(ReattemptRequest(AWB)),
    "initiate_rto": lambda a: a.request_rto(AWB),
    "rates": lambda a: a.get_rates(lane(a)),
    "serviceability": lambda a: a.check_serviceability("110001", origin="560001"),
    "add_warehouse": lambda a: a.create_warehouse(
        dataclasses.replace(request_for(a).pickup, reference="")
    ),
}


def recorded() -> list[Any]:
    return [
        pytest.param(path.stem, exchange, id=f"{path.stem}: {exchange['name']}")
        for path in sorted(EXCHANGES.glob("*.json"))
        for exchange in json.loads(path.read_text())
    ]


@pytest.mark.parametrize(("operation", "exchange"), recorded())
def test_a_recorded_answer_is_read(
    server: ChosenAnswers, operation: str, exchange: dict[str, Any]
) -> None:
    server.answer(exchange["status"], exchange["answer"])
    adapter = adapter_of(account_at(server.url))
    if "error" in exchange:
        with pytest.raises(getattr(errors, exchange["error"])) as caught:
            CALLS[operation](adapter)
        assert exchange.get("words", "") in str(caught.value)
    else:
        _assert_reads_as(CALLS[operation](adapter), exchange["neutral"])


def test_every_operation_with_a_neutral_answer_has_recorded_exchanges() -> None:
    assert {path.stem for path in EXCHANGES.glob("*.json")} == set(CALLS)


def _assert_reads_as(read: Any, expected: Any) -> None:
    if isinstance(expected, list):
        assert len(read) == len(expected)
        for one, wanted in zip(read, expected, strict=True):
            _assert_reads_as(one, wanted)
    elif isinstance(expected, dict):
        for name, value in expected.items():
            assert _plain(_part(read, name)) == value, name
    else:
        assert read == expected


def _part(read: Any, name: str) -> Any:
    if name == "is_served":
        return read.serviceable
    if name == "reference":
        return read.reference.partition("/")[0]
    if name in ("status", "location", "at", "description") and hasattr(read, "scans"):
        if not read.scans:
            return "booked" if name == "status" else ""
        scan = read.scans[-1]
        return scan.mapped.status if name == "status" else getattr(scan, name)
    return getattr(read, name)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _plain(dataclasses.asdict(value))
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value.isoformat() if hasattr(value, "isoformat") else value
