"""Recorded exchanges (fixtures/ekart/exchanges), read as the adapter reads them. No mocks."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest

from couriers.contract import errors
from couriers.contract.types import Tracking
from tests.support.ekart import EXCHANGES, READERS, classify_answer


def recorded() -> list[Any]:
    return [
        pytest.param(path.stem, exchange, id=f"{path.stem}: {exchange['name']}")
        for path in sorted(EXCHANGES.glob("*.json"))
        for exchange in json.loads(path.read_text())
    ]


@pytest.mark.parametrize(("operation", "exchange"), recorded())
def test_a_recorded_answer_is_read(operation: str, exchange: dict[str, Any]) -> None:
    answer = exchange["answer"]
    body = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()

    def read() -> Any:
        decoded, failure = classify_answer(exchange["status"], body, operation)
        if failure:
            raise failure
        return READERS[operation](decoded)

    if "error" in exchange:
        with pytest.raises(errors.CourierError) as caught:
            read()
        assert type(caught.value) is getattr(errors, exchange["error"])
        assert exchange.get("words", "") in str(caught.value)
    else:
        _assert_reads_as(read(), exchange["neutral"])


def test_every_operation_with_a_neutral_answer_has_recorded_exchanges() -> None:
    assert {path.stem for path in EXCHANGES.glob("*.json")} == set(READERS)


def _assert_reads_as(read: Any, expected: Any) -> None:
    """Compare what was read with what the recording expects of it."""
    if isinstance(read, Tracking):
        read = {
            "order_number": read.order_number,
            "attempts": read.attempts,
            "statuses": [scan.mapped.status for scan in read.scans],
            "reasons": [s.mapped.reason.code if s.mapped.reason else "" for s in read.scans],
            "estimated_delivery": read.estimated_delivery,
            "times": [scan.at for scan in read.scans],
        }
    if isinstance(expected, dict):
        got = read if isinstance(read, dict) else {k: getattr(read, k) for k in expected}
        for name, value in expected.items():
            assert _plain(got[name]) == value, name
    elif isinstance(expected, list) and expected and isinstance(expected[0], dict):
        assert len(read) == len(expected)
        for one, wanted in zip(read, expected, strict=True):
            _assert_reads_as(one, wanted)
    else:
        assert _plain(read) == expected


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _plain(dataclasses.asdict(value))
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value
