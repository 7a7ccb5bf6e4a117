"""Times in responses are UTC, and times in requests are read as UTC without an offset."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from couriers.models import Shipment

URL = "/api/v1/shipments/"
UTC_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def times_in(answer: Any) -> Iterator[tuple[str, str]]:
    """Every time in a response, as pairs of its field and its text."""
    found = [answer.json()]
    while found:
        for name, value in found.pop().items():
            if isinstance(value, dict):
                found.append(value)
            elif isinstance(value, list):
                found += [inner for inner in value if isinstance(inner, dict)]
            elif value and (name == "at" or name.endswith(("_at", "_since"))):
                yield name, value


def post(client: Client, url: str, body: Any) -> Any:
    return client.post(url, json.dumps(body), content_type="application/json")


def test_every_time_is_written_as_utc_to_the_millisecond(
    storefront: Client, able: Any, shipment: Shipment, order: Any
) -> None:
    manifest = post(
        storefront, "/api/v1/manifests/", {"courier": "toy", "shipments": [shipment.pk]}
    )
    answers = [
        storefront.get(URL),
        storefront.get(f"{URL}{shipment.pk}/"),
        post(storefront, f"{URL}bulk/", {"orders": [order]}),
        manifest,
        storefront.get("/api/v1/manifests/"),
        storefront.get(manifest["Location"]),
    ]
    for answer in answers:
        found = dict(times_in(answer))
        assert "created_at" in found
        assert all(UTC_TIME.fullmatch(value) for value in found.values()), found
        written = dt.datetime.fromisoformat(found["created_at"])
        assert abs(timezone.now() - written) < dt.timedelta(minutes=1)


def test_times_for_staff_are_utc_too(shipment: Shipment, client: Client) -> None:
    Shipment.objects.update(status="in_doubt", tracking_id="")
    client.force_login(get_user_model().objects.create_superuser("op"))
    answer = client.get("/api/v1/ops/in-doubt/")
    assert UTC_TIME.fullmatch(answer.json()[0]["in_doubt_since"])


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("created_after=2026-11-23T20:00:00", True),
        ("created_after=2026-11-23T20:00:00.001", False),
        ("created_after=2026-11-24", False),
        ("created_before=2026-11-24", True),
        ("created_before=2026-11-23T20:00:00", False),
        ("created_after=2026-11-24T01:30:00%2B05:30", True),
        ("created_after=2026-11-24T01:30:01%2B05:30", False),
        ("created_after=2026-11-23T20:00:00Z", True),
    ],
)
def test_a_time_without_an_offset_is_utc(
    storefront: Client, shipment: Shipment, query: str, found: bool
) -> None:
    Shipment.objects.update(created_at=dt.datetime(2026, 11, 23, 20, tzinfo=dt.UTC))
    assert bool(storefront.get(f"{URL}?{query}").json()["results"]) is found
