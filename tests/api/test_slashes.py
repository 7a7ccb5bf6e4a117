"""Every path is served with and without its last slash, by every method, and never redirected."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from couriers.models import Shipment
from tests.support.api import post_shipment
from tests.support.urls import ID, patterns

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
PATHS = sorted({path.rstrip("/") for path in patterns()})


def test_the_walk_finds_the_paths_of_every_part() -> None:
    for part in ("/api/v1/shipments", "/api/v1/products", "/api/v1/ops/webhook-events/1/replay",
                 "/api/v1/ops/circuits", "/api/schema", "/api/docs", "/problems/validation",
                 f"/track/{ID}", "/healthz", "/readyz", "/metrics", "/webhooks",
                 f"/webhooks/toy/{ID}", f"/api/v1/shipments/{ID}/dispatch-date"):  # fmt: skip
        assert part in PATHS
    assert len(PATHS) > 35


@pytest.mark.slow
@pytest.mark.parametrize("who", ["company", "staff", "nobody"])
def test_a_path_has_the_same_answer_with_and_without_its_slash(
    storefront: Client, admin_client: Client, account: Any, who: str
) -> None:
    client = {"company": storefront, "staff": admin_client, "nobody": Client()}[who]
    client.raise_request_exception = False
    different = []
    for path in PATHS:
        for method in METHODS:
            answers = [
                client.generic(method, url, "", "application/json") for url in (path, f"{path}/")
            ]
            outcomes = {(one.status_code, one.get("Content-Type")) for one in answers}
            if len(outcomes) > 1 or answers[0].status_code in (301, 302, 307, 308, 500):
                different.append((method, path, outcomes))
    assert different == []


def test_a_post_without_the_slash_books(storefront: Client, account: Any, order: Any) -> None:
    answer = storefront.post("/api/v1/shipments", order, content_type="application/json")
    assert answer.status_code == 201
    assert Shipment.objects.get().order_number == order["order_number"]
    again = post_shipment(storefront, order)
    assert again.json() == answer.json()
