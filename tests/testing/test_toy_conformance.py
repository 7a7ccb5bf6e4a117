"""The toy courier passes the conformance kit in each of its three forms."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from couriers.testing.receiver import ReceiverConformance
from couriers.testing.toy.adapter import ToyAdapter, ToyReservationAdapter, ToySearchAdapter
from couriers.testing.toy.receiver import ToyReceiver
from tests.support.toy_conformance import ToyConformance


class TestNeither(ToyConformance):
    adapter_class = ToyAdapter
    form = "neither"


class TestSearch(ToyConformance):
    adapter_class = ToySearchAdapter
    form = "search"


class TestReservation(ToyConformance):
    adapter_class = ToyReservationAdapter
    form = "reservation"


class TestToyReceiver(ReceiverConformance):
    receiver = ToyReceiver()
    signs_bodies = False
    samples = tuple(
        json.dumps(body).encode()
        for body in (
            {"about": "order", "parcel": "P1", "order": "A-1"},
            {
                "about": "scan", "parcel": "P1", "order": "A-1", "word": "on its way",
                "at": "2026-11-28 18:30:00", "place": "PUNE",
            },
        )
    )  # fmt: skip

    def sign(self, body: bytes, secret: str) -> Mapping[str, Any]:
        return {"x-toy-secret": secret}
