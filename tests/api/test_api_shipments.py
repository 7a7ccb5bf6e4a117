"""The REST API as a storefront sees it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from couriers.contract.errors import NotSent, Rejected, TooManyRequests, Unknown
from couriers.contract.registry import CourierFactory
from couriers.models import Shipment
from tests.support.api import post_shipment
from tests.support.drafts import raising
from tests.support.factories import ShipmentFactory, make_api_key

URL = "/api/v1/shipments/"


def test_a_shipment_is_booked_and_replayed_byte_for_byte(
    storefront: Client, account: Any, order: Any
) -> None:
    first = post_shipment(storefront, order)
    assert first.status_code == 201, first.content
    data = first.json()
    assert {
        "id", "courier", "order_number", "direction", "status", "courier_status", "tracking_id",
        "waybill", "vendor", "payment_mode", "total_amount", "estimated_delivery",
        "tracking_url", "actions_allowed", "created_at", "updated_at",
    } <= set(data)  # fmt: skip
    assert (data["status"], data["total_amount"]) == ("booked", "1523.00")
    assert first["Location"] == f"{URL}{data['id']}/"
    again = post_shipment(storefront, order)
    assert (again.status_code, again.content) == (201, first.content)
    assert again["Idempotent-Replayed"] == "true"


def test_the_same_key_with_another_body_is_422_naming_fields(
    storefront: Client, account: Any, order: Any
) -> None:
    post_shipment(storefront, order, **{"Idempotency-Key": "k"})
    order["consignee"]["name"] = "Ravi Other"
    answer = post_shipment(storefront, order, **{"Idempotency-Key": "k"})
    assert (answer.status_code, answer.json()["fields"]) == (422, ["consignee.name"])
    assert b"Ravi" not in answer.content


@pytest.mark.parametrize("key", ["x" * 256, "a\tb", ""])
def test_an_invalid_key_is_400(storefront: Client, account: Any, order: Any, key: str) -> None:
    answer = post_shipment(storefront, order, **{"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "Idempotency-Key")


def test_another_key_for_a_live_order_is_409_naming_the_shipment(
    storefront: Client, account: Any, order: Any
) -> None:
    first = post_shipment(storefront, order, **{"Idempotency-Key": "a"}).json()
    answer = post_shipment(storefront, order, **{"Idempotency-Key": "b"})
    assert (answer.status_code, answer.json()["shipment"]) == (409, first["id"])


def test_every_invalid_field_is_named(storefront: Client, account: Any, order: Any) -> None:
    order["consignee"].pop("name")
    order["items"][0]["value"] = "NaN"
    order["surprise"] = 1
    order["payment_mode"] = "barter"
    answer = post_shipment(storefront, order)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert answer.json()["type"] == "/problems/validation"
    assert "surprise" in {e["field"] for e in answer.json()["errors"]}
    order.pop("surprise")
    fields = {e["field"] for e in post_shipment(storefront, order).json()["errors"]}
    assert {"consignee.name", "items[0].value", "payment_mode"} <= fields


def test_items_with_too_large_a_total_are_refused(
    storefront: Client, account: Any, order: Any
) -> None:
    line = order["items"][0] | {"value": "999999999.99"}
    answer = post_shipment(storefront, order | {"items": [line] * 11})
    assert answer.status_code == 400
    assert answer.json()["errors"] == [
        {"field": "items", "message": "must add up to less than 1000000000 rupees"}
    ]


def test_an_invalid_phone_is_named(storefront: Client, account: Any, order: Any) -> None:
    order["consignee"]["phone"] = "98765ABCDE"
    assert post_shipment(storefront, order).json()["errors"][0]["field"] == "consignee.phone"


def test_the_problem_of_an_unknown_courier_lists_the_known_ones(
    storefront: Client, account: Any, order: Any
) -> None:
    answer = post_shipment(storefront, order | {"courier": "dhl"})
    assert answer.status_code == 400
    assert f"known: {', '.join(CourierFactory.codes())}" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("error", "status", "name", "retry_after"),
    [
        (NotSent("no", retry_after=7), 503, "not-sent", "7"),
        (TooManyRequests("no", retry_after=9), 503, "not-done", "9"),
        (Rejected("no", courier_message="Wallet is empty"), 422, "rejected", None),
    ],
)
def test_the_class_of_an_error_decides_the_problem(
    storefront: Client,
    account: Any,
    toy: Any,
    order: Any,
    error: Exception,
    status: int,
    name: str,
    retry_after: str | None,
) -> None:
    toy.on_create = raising(error)
    answer = post_shipment(storefront, order)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{name}")
    assert answer.get("Retry-After") == retry_after
    if status == 422:
        assert answer.json()["courier_message"] == "Wallet is empty"


def test_a_lost_answer_is_202_with_the_shipments_url(
    storefront: Client, account: Any, toy: Any, order: Any
) -> None:
    toy.on_create = raising(Unknown("read time-out"))
    answer = post_shipment(storefront, order)
    assert (answer.status_code, answer.json()["status"]) == (202, "in_doubt")
    assert storefront.get(answer["Location"]).json()["status"] == "in_doubt"


def test_a_missing_or_unknown_api_key_is_401(db: None, order: Any) -> None:
    for header in ({}, {"Authorization": "Api-Key nope.nope"}, {"Authorization": "Api-Key x"}):
        answer = Client().get(URL, headers=header)
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Api-Key")
        assert answer.json()["type"] == "/problems/unauthenticated"


def test_a_revoked_key_is_refused(company: Any, storefront: Client) -> None:
    company.api_keys.update(revoked=True)
    assert storefront.get(URL).status_code == 401


def test_another_companys_shipment_is_a_404(storefront: Client, account: Any) -> None:
    other = ShipmentFactory()
    for path in ("", "scans/"):
        answer = storefront.get(f"{URL}{other.pk}/{path}")
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
    assert storefront.post(f"{URL}{other.pk}/cancel/").status_code == 404
    assert storefront.get(URL).json()["results"] == []


def test_lists_are_paged_by_keyset_in_at_most_three_statements(
    company: Any, account: Any, django_assert_max_num_queries: Any
) -> None:
    client = Client(headers={"Authorization": f"Api-Key {make_api_key(company)}"})
    warehouse = company.warehouses.get()
    made = [ShipmentFactory(account=account, warehouse=warehouse).pk for _ in range(7)]
    with django_assert_max_num_queries(3):
        page = client.get(URL + "?page_size=3").json()
    seen = [s["id"] for s in page["results"]]
    while page["next"]:
        page = client.get(page["next"]).json()
        seen += [s["id"] for s in page["results"]]
    assert seen == sorted(made, reverse=True)


def test_the_next_page_is_below_the_base_url_and_not_at_the_requests_host(
    storefront: Client, account: Any, settings: Any
) -> None:
    settings.SHIPCROWD = {"BASE_URL": "https://ship.example"}
    warehouse = account.company.warehouses.get()
    oldest, _ = (ShipmentFactory(account=account, warehouse=warehouse).pk for _ in range(2))
    page = storefront.get(f"{URL}?page_size=1&status=booked", headers={"Host": "localhost"}).json()
    assert page["next"].startswith(f"https://ship.example{URL}?")
    (shown,) = storefront.get(page["next"].removeprefix("https://ship.example")).json()["results"]
    assert shown["id"] == oldest


def test_lists_can_be_filtered(storefront: Client, account: Any) -> None:
    warehouse = account.company.warehouses.get()
    ShipmentFactory(account=account, warehouse=warehouse, order_number="X", status="delivered")
    ShipmentFactory(account=account, warehouse=warehouse)
    for query in ("status=delivered", "order_number=X", "status=delivered&status=lost"):
        assert len(storefront.get(f"{URL}?{query}").json()["results"]) == 1
    for query in ("status=nope", "page_size=0", "cursor=1", "created_after=x"):
        assert storefront.get(f"{URL}?{query}").status_code == 400


def test_a_shipment_is_tracked_and_cancelled(
    storefront: Client, account: Any, order: Any, toy: Any
) -> None:
    shipment = post_shipment(storefront, order).json()
    url = f"{URL}{shipment['id']}/"
    assert storefront.post(url + "track/").json()["status"] == "in_transit"
    assert storefront.get(url + "scans/").json()[0]["location"] == "PUNE"
    cancelled = storefront.post(url + "cancel/").json()
    assert (cancelled["state"], cancelled["status"]) == ("done", "rto_requested")
    assert storefront.get(url).json()["status"] == "rto_requested"
    assert storefront.post(url + "cancel/").json() == cancelled
    Shipment.objects.update(status="delivered")
    assert storefront.post(url + "cancel/").status_code == 409
    Shipment.objects.update(status="in_doubt", tracking_id="")
    assert storefront.post(url + "track/").status_code == 409


def test_serviceability_that_the_courier_lacks_is_not_supported(
    storefront: Client, account: Any
) -> None:
    answer = storefront.get("/api/v1/serviceability/?courier=toy&pincode=560001")
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/not-supported")
    assert storefront.get("/api/v1/serviceability/?courier=toy&pincode=1").status_code == 400


def test_a_warehouse_is_added_to_the_company_and_validated(
    storefront: Client, company: Any
) -> None:
    body = {
        "name": "North", "contact_name": "Gate", "phone": "+91 98450 12345",
        "address": "2, Example Road", "city": "Delhi", "state": "DL", "pincode": "110001",
    }  # fmt: skip
    url = "/api/v1/warehouses/"
    made = storefront.post(url, json.dumps(body), content_type="application/json")
    assert made.status_code == 201, made.content
    assert (made.json()["phone"], made.json()["state"]) == ("9845012345", "Delhi")
    assert storefront.get(f"{url}{made.json()['id']}/").status_code == 200
    assert len(storefront.get(url).json()) == 2
    for change in ({}, {"name": "S", "phone": "1"}, {"name": "S", "state": "X"},
                   {"name": "S", "surprise": 1}):  # fmt: skip
        answer = storefront.post(url, json.dumps(body | change), content_type="application/json")
        assert answer.status_code == 400


def test_malformed_bodies_and_methods_are_problems(storefront: Client, account: Any) -> None:
    answer = storefront.post(URL, "{", content_type="application/json")
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/malformed")
    assert storefront.post(URL, "x", content_type="text/plain").status_code == 415
    assert storefront.delete(URL).status_code == 405
    assert storefront.get("/api/v1/nope/").json()["type"] == "/problems/not-found"


def test_schema_docs_and_health_are_served(db: None) -> None:
    client = Client()
    schema = client.get("/api/schema/?format=json").json()
    assert schema["openapi"].startswith("3.1")
    assert "/api/v1/shipments/" in schema["paths"]
    page = client.get("/api/docs/").content.decode()
    assert "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js" in page
    assert "//" not in page.replace("</", "")  # no other host is asked
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ok"}
    assert b"python_info" in client.get("/metrics").content


def test_without_redis_bookings_still_work_and_readyz_says_so(
    storefront: Client, account: Any, order: Any, redis_unavailable: None
) -> None:
    assert post_shipment(storefront, order).status_code == 201
    assert Client().get("/readyz").json() == {"status": "degraded", "down": ["redis"]}
