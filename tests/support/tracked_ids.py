"""What the toy courier answers when it is asked about a tracking id."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from couriers.contract.errors import NotFound
from couriers.contract.types import Scan, Tracking
from tests.support.toy import MAPPER

AT = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)


def know_ids(
    monkeypatch: pytest.MonkeyPatch, adapter: Any, known: dict[str, str | Exception | Tracking]
) -> list[str]:
    """Have the courier know these tracking ids alone; return the list of those it is asked about.

    The value is the order number that it names, its whole answer, or an error that it raises.
    """
    asked: list[str] = []

    def track_shipment(_: Any, tracking_id: str) -> Tracking:
        asked.append(tracking_id)
        answer = known.get(tracking_id, NotFound("no such shipment", courier="toy"))
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Tracking):
            return answer
        scan = Scan(MAPPER.map("in_transit"), AT, "PUNE", "On its way")
        return Tracking(tracking_id, (scan,), order_number=answer)

    monkeypatch.setattr(adapter, "track_shipment", track_shipment)
    return asked
