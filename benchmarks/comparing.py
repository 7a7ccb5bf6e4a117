"""Three couriers side by side: rates, and serviceability, while each answers after 600 ms.

The couriers are the sandboxes of Ekart, Delhivery and Velocity, each call as late as the slowest of
those that take 300 to 600 ms, and no answer comes from a cache. A request is as slow as the slowest
of the three, and a little more.
"""

from __future__ import annotations

import itertools
import os
import time
import uuid
from contextlib import ExitStack
from typing import Any
from unittest import mock

from benchmarks.figures import Figure, at_most
from shipcrowd.demo_couriers import COURIERS

REQUESTS = 100  # of each kind
LATE = 0.6  # seconds, of each call
BUDGET = 1000  # milliseconds, the 95th percentile
# Delhivery alone would take one request in six seconds.
LIMITS = {
    "ekart": ("estimate", "lane_serviceability", "serviceability"),
    "delhivery": ("charges", "transit", "pincodes"),
    "velocity": ("rates", "serviceability"),
}


def run() -> list[Figure]:
    """Ask for rates and serviceability over the API, one request after another."""
    from django.core.management import call_command
    from django.test import Client

    from tests.support.factories import CompanyFactory, WarehouseFactory, make_api_key

    company = CompanyFactory(slug=f"comparing-{uuid.uuid4().hex[:8]}")
    WarehouseFactory(company=company)
    headers = {"Authorization": f"Api-Key {make_api_key(company)}"}
    client = Client(headers=headers, SERVER_NAME="localhost")
    with ExitStack() as stack:
        for courier in COURIERS:
            late = ("--fault", "*:slow:1", "--slow-seconds", str(LATE))
            sandbox = stack.enter_context(courier.sandbox("--hold", *late))
            with mock.patch.dict(os.environ, courier.environment(sandbox.url, "a-secret")):
                limits = [f"--limit={name}=5000/1s" for name in LIMITS[courier.code]]
                call_command("seed_courier", courier.code, "--company", company.slug, *limits)
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
        complete += {one["courier"] for one in ask()} == {one.code for one in COURIERS}
        milliseconds.append(1000 * (time.perf_counter() - started))
    p95 = sorted(milliseconds)[REQUESTS * 95 // 100]
    name = (
        f"{what} of {len(COURIERS)} couriers whose calls take {LATE:g} s, p95 of {REQUESTS};"
        f" {complete} had all couriers"
    )
    held = at_most(name, p95, BUDGET, "ms", 0)
    return Figure(held.what, held.figure, held.budget, held.met and complete == REQUESTS)
