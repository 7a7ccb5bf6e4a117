"""Exchanges after the facts (fixtures/delhivery/exchanges), read as the adapter reads them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest

from couriers.contract.errors import CourierError
from couriers.contract.types import Tracking
from tests.support.delhivery import EXCHANGES, READERS, read


def recorded() -> list[Any]:
    return [
        pytest.param(path.stem, exchange, id=f"{path.stem}: {exchange['name']}")
        for path in sorted(EXCHANGES.glob("*.json"))
        for exchange in json.loads(path.read_text())
    ]


@pytest.mark.parametrize(("operation", "exchange"), recorded())
def test_an_answer_is_read(operation: str, exchange: dict[str, Any]) -> None:
    answer = exchange["answer"]
    body = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
    if "error" not in exchange:
        assert_reads_as(read(operation, exchange["status"], body), exchange["neutral"])
        return
    with pytest.raises(CourierError) as caught:
        read(operation, exchange["status"], body)
    error = caught.value
    assert (type(error).__name__, error.courier) == (exchange["error"], "delhivery")
    assert error.operation == operation
    assert exchange.get("words", "") in str(error)
    for name in ("code", "retry_after"):
        if name in exchange:
            assert getattr(error, name) == exchange[name]


def test_every_answer_that_is_read_has_exchanges() -> None:
    assert {path.stem for path in EXCHANGES.glob("*.json")} == set(READERS)


def assert_reads_as(found: Any, expected: Any) -> None:
    """Compare what was read with what the exchange expects of it."""
    if isinstance(found, Tracking):
        found = {
            "order_number": found.order_number,
            "attempts": found.attempts,
            "statuses": [scan.mapped.status for scan in found.scans],
            "reasons": [s.mapped.reason.code if s.mapped.reason else "" for s in found.scans],
            "estimated_delivery": found.estimated_delivery,
            "times": [scan.at for scan in found.scans],
        }
    if isinstance(expected, dict):
        plain_found = plain(found)
        assert {name: plain_found[name] for name in expected} == expected
    elif isinstance(expected, list) and expected and isinstance(expected[0], dict):
        assert len(found) == len(expected)
        for one, wanted in zip(found, expected, strict=True):
            assert_reads_as(one, wanted)
    else:
        assert plain(found) == expected


def plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain(dataclasses.asdict(value))
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return value
