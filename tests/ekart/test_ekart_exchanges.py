"""Recorded exchanges (fixtures/ekart/exchanges), read as the provider reads them. No mocks."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from couriers.contract import errors
from couriers.contract.types import Tracking
from couriers_ekart.mapper import answers
from couriers_ekart.mapper.history import history_from
from couriers_ekart.wire.outcomes import from_answer

EXCHANGES = Path(__file__).resolve().parents[2] / "fixtures" / "ekart" / "exchanges"


def _label(body: Any) -> Any:
    if isinstance(body, bytes):
        return body
    raise answers.label_failure(body)


READERS: dict[str, Callable[[Any], Any]] = {
    "create_shipment": answers.booking_from,
    "cancel_shipment": lambda body: answers.cancel_from(body, "T1"),
    "track": answers.tracking_from,
    "raw_track": lambda body: history_from(body, "CLTP1"),
    "serviceability": lambda body: answers.serviceability_from(body, "560008"),
    "lane_serviceability": answers.days_from,
    "bulk_serviceability": lambda body: list(answers.bulk_serviceability_from(body)),
    "estimate": lambda body: answers.quote_from(body, "SURFACE"),
    "manifest": answers.manifest_from,
    "ndr": answers.ndr_from,
    "set_dispatch_date": lambda body: answers.dispatch_refusals_from(body, ["T1", "T2"]),
    "label": _label,
    "add_address": lambda body: answers.registration_from(body, "given"),
}


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
        decoded, failure = from_answer(exchange["status"], {}, body, operation)
        if failure:
            raise failure
        return READERS[operation](decoded)

    if "error" in exchange:
        with pytest.raises(errors.CourierError) as caught:
            read()
        assert type(caught.value) is getattr(errors, exchange["error"])
        assert exchange.get("words", "") in str(caught.value)
    else:
        _assert_says(read(), exchange["neutral"])


def test_every_operation_with_a_neutral_answer_has_recorded_exchanges() -> None:
    assert {path.stem for path in EXCHANGES.glob("*.json")} == set(READERS)


def _assert_says(read: Any, expected: Any) -> None:
    """What was read, as far as the recording tells."""
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
        for one, said in zip(read, expected, strict=True):
            _assert_says(one, said)
    else:
        assert _plain(read) == expected


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value
