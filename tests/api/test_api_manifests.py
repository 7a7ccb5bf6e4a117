"""Manifests over the API."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from couriers.fulfilment import manifests
from couriers.models import Manifest, ManifestChunk
from tests.support.commands import run_json
from tests.support.factories import CourierAccountFactory, ShipmentFactory
from tests.support.manifests import make_due_chunks
from tests.support.parcels import make_shipments

URL = "/api/v1/manifests/"


def post(client: Client, **body: Any) -> Any:
    data = {"courier": "toy"} | body
    return client.post(URL, json.dumps(data), content_type="application/json")


def test_a_manifest_is_made_in_parts_with_progress_and_one_list_of_documents(
    storefront: Client, account: Any, able: Any
) -> None:
    ids = make_shipments(account, 150)
    made = post(storefront, shipments=ids)
    assert made.status_code == 202, made.content
    assert made.json()["progress"] == {
        "chunks": 2, "chunks_done": 0, "chunks_failed": 0, "shipments": 150, "shipments_done": 0,
    }  # fmt: skip
    url = made["Location"]
    first = ManifestChunk.objects.first()
    assert first is not None
    manifests.make_chunk(first.pk)
    half = storefront.get(url).json()
    assert (half["state"], half["progress"]["shipments_done"]) == ("pending", 100)
    make_due_chunks(Manifest.objects.get())
    done = storefront.get(url).json()
    assert (done["state"], [d["shipments"] for d in done["documents"]]) == ("done", [100, 50])
    assert [d["url"] for d in done["documents"]] == [
        f"{url}documents/1/", f"{url}documents/2/",
    ]  # fmt: skip
    again = post(storefront, shipments=ids)
    assert (again.status_code, again.json()["id"]) == (200, done["id"])
    assert again.json()["already_in_manifest"] == 150
    assert [m["id"] for m in storefront.get(URL).json()["results"]] == [done["id"]]


def test_the_list_of_manifests_is_paged_in_three_statements(
    storefront: Client, account: Any, django_assert_max_num_queries: Any
) -> None:
    for _ in range(5):
        Manifest.objects.create(company=account.company, account=account)
    Manifest.objects.create(account=(other := CourierAccountFactory()), company=other.company)
    seen = []
    url = URL + "?page_size=2"
    while url:
        with django_assert_max_num_queries(3):
            page = storefront.get(url).json()
        seen += [one["id"] for one in page["results"]]
        url = page["next"]
    assert len(seen) == len(set(seen)) == 5
    assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "shipments"),
        ({"shipments": ["x"], "date": "2026-11-23"}, "shipments"),
        ({"shipments": []}, "shipments"),
        ({"shipments": ["x"] * 10_001}, "shipments"),
        ({"shipments": ["x" * 41]}, "shipments[0]"),
        ({"shipments": ["shp_none"]}, "shipments[0]"),
        ({"shipments": "shp"}, "shipments"),
        ({"date": "someday"}, "date"),
        ({"date": "2026-11-23", "courier": "dhl"}, "courier"),
        ({"date": "2026-11-23", "surprise": 1}, "surprise"),
    ],
)
def test_an_invalid_request_for_a_manifest_names_the_field(
    storefront: Client, account: Any, able: Any, body: Any, field: str
) -> None:
    answer = post(storefront, **body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
    assert not Manifest.objects.exists()


def test_another_companys_manifest_and_shipments_are_not_found(
    storefront: Client, account: Any, able: Any
) -> None:
    other = CourierAccountFactory(courier=account.courier)
    theirs = ShipmentFactory(account=other)
    answer = post(storefront, shipments=[theirs.pk])
    assert answer.json()["errors"][0]["field"] == "shipments[0]"
    manifest = Manifest.objects.create(company=other.company, account=other)
    assert storefront.get(f"{URL}{manifest.pk}/").status_code == 404
    assert storefront.get(URL).json()["results"] == []


def test_a_manifest_of_delivered_or_of_no_shipments_is_a_conflict(
    storefront: Client, account: Any, able: Any
) -> None:
    gone = make_shipments(account, 1, status="delivered")
    answer = post(storefront, shipments=gone)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/not-awaiting-pickup")
    answer = post(storefront, date="2026-11-23")
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/nothing-to-manifest")


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_first_and_the_last_day_of_the_calendar_are_days_without_shipments(
    storefront: Client, account: Any, able: Any, day: str
) -> None:
    make_shipments(account, 1)
    answer = post(storefront, date=day)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/nothing-to-manifest")
    assert (
        run_json("create_manifest", "--company", account.company.slug, "--date", day)["manifest"]
        is None
    )
