"""Three couriers side by side: rates, and serviceability, while each takes 300 to 600 ms.

The couriers are real HTTP servers, each answer late by a time of its own, and no answer comes from
a cache. A request is as slow as the slowest of the three, and a little more.
"""

from __future__ import annotations

import itertools
import random
import time
import uuid
from contextlib import ExitStack
from typing import Any

from benchmarks.figures import Figure, at_most

REQUESTS = 100  # of each kind
ANSWER = (0.3, 0.6)  # seconds, anything between
BUDGET = 1000  # milliseconds, the 95th percentile
COURIERS = ("bench_a", "bench_b", "bench_c")


def run() -> list[Figure]:
    """Ask for rates and serviceability over the API, one request after another."""
    from django.test import Client

    from tests.support.factories import CompanyFactory, WarehouseFactory, make_api_key
    from tests.support.quoting import http_courier

    draw = random.Random(19)
    company = CompanyFactory(slug=f"comparing-{uuid.uuid4().hex[:8]}")
    WarehouseFactory(company=company)
    headers = {"Authorization": f"Api-Key {make_api_key(company)}"}
    client = Client(headers=headers, SERVER_NAME="localhost")
    with ExitStack() as stack:
        for code in COURIERS:
            stack.enter_context(http_courier(company, code, lambda: draw.uniform(*ANSWER)))
        amounts = itertools.count(1000)
        pincodes = itertools.count(560_001)

        def rates() -> Any:
            body = {
                "pickup_pincode": "560001", "drop_pincode": "110001", "payment_mode": "prepaid",
                "invoice_amount": f"{next(amounts)}.00",
                "parcel": {"weight_g": 240, "length_cm": 30, "width_cm": 22, "height_cm": 8},
            }  # fmt: skip
            found = client.post("/api/v1/rates/", body, content_type="application/json")
            return found.json().get("quotes", [])

        def serviceability() -> Any:
            found = client.get("/api/v1/serviceability/", {"pincode": f"{next(pincodes)}"})
            return found.json().get("couriers", [])

        return [_figure("rates", rates), _figure("serviceability", serviceability)]


def _figure(what: str, ask: Any) -> Figure:
    """Return the 95th percentile of REQUESTS. It is missed where an answer lacks a courier."""
    milliseconds, complete = [], 0
    for _ in range(REQUESTS):
        started = time.perf_counter()
        complete += len(ask()) == len(COURIERS)
        milliseconds.append(1000 * (time.perf_counter() - started))
    p95 = sorted(milliseconds)[REQUESTS * 95 // 100]
    name = (
        f"{what} of {len(COURIERS)} couriers that take {ANSWER[0]:g} to {ANSWER[1]:g} s, p95 of"
        f" {REQUESTS}; {complete} had all couriers"
    )
    held = at_most(name, p95, BUDGET, "ms", 0)
    return Figure(held.what, held.figure, held.budget, held.met and complete == REQUESTS)
