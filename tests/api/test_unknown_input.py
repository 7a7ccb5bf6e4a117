"""What an operation does not understand is refused by its name: parameters, fields and bodies."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from couriers.api.documentation import openapi_schema
from couriers.models import Shipment, Warehouse
from tests.support.api import post_json

LIST = "/api/v1/shipments/"
PAGED = (LIST, "/api/v1/manifests/", "/api/v1/products/", "/api/v1/ops/webhook-events/")
EXAMPLES = {
    "shp": "shp_00000000000000000000000000",
    "int": "1",
}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield path, method and description of every operation of the schema."""
    for path, methods in openapi_schema()["paths"].items():
        for method, described in methods.items():
            yield path, method.upper(), described


def url_of(path: str, described: dict[str, Any]) -> str:
    """The path with an example in the place of each of its parameters."""
    for parameter in described.get("parameters", ()):
        if parameter["in"] == "path":
            kind = "int" if parameter["schema"].get("type") == "integer" else "shp"
            path = path.replace(f"{{{parameter['name']}}}", EXAMPLES[kind])
    return path


def send(client: Client, method: str, url: str, body: Any = None) -> Any:
    data = "" if body is None else json.dumps(body)
    return client.generic(method, url, data, "application/json")


def named(answer: Any) -> list[str]:
    """The fields that a problem names."""
    assert answer.status_code == 400, (answer.status_code, answer.content)
    assert answer.json()["type"] == "/problems/validation"
    return [problem["field"] for problem in answer.json()["errors"]]


@pytest.fixture
def clients(storefront: Client, admin_client: Client) -> dict[bool, Client]:
    """The client of each operation, by whether the operation is one of staff."""
    return {False: storefront, True: admin_client}


def test_every_operation_names_a_query_parameter_that_it_does_not_have(
    clients: dict[bool, Client],
) -> None:
    asked = 0
    for path, method, described in operations():
        url = url_of(path, described)
        answer = send(clients["/ops/" in path], method, f"{url}?unknown=1&page=2")
        assert named(answer) == ["page", "unknown"], (method, url)
        asked += 1
    assert asked > 30


def test_every_operation_names_a_body_field_that_it_does_not_have(
    clients: dict[bool, Client], company: Any, account: Any, admin_user: Any
) -> None:
    warehouse = company.warehouses.get()
    for path, method, described in operations():
        url = url_of(path, described).replace(
            f"warehouses/{EXAMPLES['shp']}", f"warehouses/{warehouse.pk}"
        )
        answer = send(clients["/ops/" in path], method, url, {"unknown": 1})
        if answer.status_code == 404 and method != "GET":
            continue  # the row of the path is looked for first
        assert "unknown" in named(answer), (method, url)


@pytest.mark.parametrize("action", ["cancel", "track", "reattempt", "rto", "address",
                                    "dispatch-date", "return"])  # fmt: skip
def test_every_action_names_a_field_that_it_does_not_have(
    storefront: Client, shipment: Any, action: str
) -> None:
    answer = post_json(storefront, f"{LIST}{shipment.pk}/{action}/", {"reasn": "x"})
    assert "reasn" in named(answer)
    shipment.refresh_from_db()
    assert shipment.status == "booked"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=nope", "status"),
        ("status=booked&status=nope", "status"),
        ("status=", "status"),
        ("courier=", "courier"),
        ("courier=nope", "courier"),
        ("courier=toy&courier=toy", "courier"),
        ("order_number=%00", "order_number"),
        ("page=2", "page"),
        ("page_size=", "page_size"),
        ("page_size=5&page_size=6", "page_size"),
        ("cursor=", "cursor"),
        ("format=json", "format"),
        ("direction=up", "direction"),
        ("payment_mode=card", "payment_mode"),
        ("created_after=yesterday", "created_after"),
    ],
)
def test_a_value_of_a_filter_that_is_not_understood_is_named(
    storefront: Client, shipment: Any, query: str, field: str
) -> None:
    assert field in named(storefront.get(f"{LIST}?{query}"))


def test_a_filter_that_may_be_repeated_matches_any_of_its_values(
    storefront: Client, shipment: Any
) -> None:
    answer = storefront.get(f"{LIST}?status=booked&status=delivered&courier=toy")
    assert [row["id"] for row in answer.json()["results"]] == [shipment.pk]


@pytest.mark.parametrize(
    ("query", "field"),
    [("state=nope", "state"), ("topic=nope", "topic"), ("account=", "account"),
     ("account=%00", "account"), ("state=dead&state=done", "state")],
)  # fmt: skip
def test_a_filter_of_the_callbacks_that_is_not_understood_is_named(
    admin_client: Client, query: str, field: str
) -> None:
    assert field in named(admin_client.get(f"/api/v1/ops/webhook-events/?{query}"))


@pytest.mark.parametrize("field", ["id", "registrations"])
def test_a_field_that_cannot_be_set_is_refused(
    storefront: Client, company: Any, field: str
) -> None:
    warehouse = company.warehouses.get()
    url = f"/api/v1/warehouses/{warehouse.pk}/"
    assert named(send(storefront, "PATCH", url, {field: []})) == [field]
    assert named(send(storefront, "PATCH", url, {"nme": "North"})) == ["nme"]
    assert Warehouse.objects.get().pk == warehouse.pk


@pytest.mark.parametrize("body", [[], [1], "x", 1, True])
def test_a_body_that_is_no_object_is_refused_where_none_is_taken(
    storefront: Client, shipment: Any, body: Any
) -> None:
    answer = post_json(storefront, f"{LIST}{shipment.pk}/cancel/", body)
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/validation")


@pytest.mark.parametrize("body", [None, {}])
def test_an_empty_body_is_none(storefront: Client, shipment: Any, body: Any) -> None:
    assert send(storefront, "POST", f"{LIST}{shipment.pk}/cancel/", body).status_code == 200


def test_a_form_is_refused_where_no_body_is_taken(storefront: Client, shipment: Any) -> None:
    url = f"{LIST}{shipment.pk}/cancel/"
    assert storefront.post(url, {"reason": "x"}).status_code == 415
    assert storefront.post(url, {}).status_code == 200  # a form without fields
    empty = storefront.generic("POST", url, "", "application/x-www-form-urlencoded")
    assert empty.status_code == 200  # as `curl -X POST -d ''` sends it


def test_a_get_with_a_body_is_refused(storefront: Client, shipment: Any) -> None:
    assert named(send(storefront, "GET", LIST, {"status": "booked"})) == ["status"]


def test_a_body_without_a_length_is_refused_and_not_read_as_empty(
    storefront: Client, shipment: Any
) -> None:
    url = f"{LIST}{shipment.pk}/cancel/"
    answer = storefront.post(url, HTTP_TRANSFER_ENCODING="chunked", CONTENT_LENGTH="")
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/malformed")
    assert "Content-Length" in answer.json()["detail"]


def test_a_field_that_stands_twice_is_named(storefront: Client, account: Any, order: Any) -> None:
    body = json.dumps(order).replace('"cod_amount"', '"cod_amount": "5.00", "cod_amount"', 1)
    assert body.count("cod_amount") == 2
    answer = storefront.post(LIST, body, content_type="application/json")
    assert named(answer) == ["cod_amount"]
    assert not Shipment.objects.exists()


def test_a_body_of_many_fields_with_one_twice_is_refused_at_once(
    storefront: Client, account: Any
) -> None:
    fields = ",".join(f'"f{number}":1' for number in range(100_000))
    started = time.monotonic()
    answer = storefront.post(LIST, f'{{"x":1,{fields},"x":2}}', content_type="application/json")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "x")
    assert time.monotonic() - started < 5  # seconds; comparing each with each takes minutes


@pytest.mark.parametrize(
    ("body", "detail"),
    [(b"{", "The body is not JSON (line 1, column 2)."),
     (b"\xff", "The body is not UTF-8 (byte 0)."),
     (b"NaN", "The body is not JSON: it contains NaN."),
     (b"1" + b"0" * 5000, "The body contains a number that is too large.")],
)  # fmt: skip
def test_a_malformed_body_is_told_in_the_platforms_words(
    storefront: Client, body: bytes, detail: str
) -> None:
    answer = storefront.post(LIST, body, content_type="application/json")
    assert (answer.status_code, answer.json()["detail"]) == (400, detail)


@pytest.mark.parametrize("accept", ["application/xml", "nonsense", "text/html"])
def test_a_format_that_is_not_offered_is_a_problem(storefront: Client, accept: str) -> None:
    answer = storefront.get(LIST, headers={"Accept": accept})
    assert (answer.status_code, answer.json()["type"]) == (406, "/problems/not-acceptable")


def test_the_schema_alone_has_a_parameter_for_its_format(client: Client, db: None) -> None:
    assert client.get("/api/schema/?format=json")["Content-Type"].endswith("json")
    assert client.get("/api/schema/?format=yaml").content.startswith(b"openapi: 3.1")
    assert named(client.get("/api/schema/?format=xml")) == ["format"]
    assert named(client.get("/api/schema/?lang=de")) == ["lang"]
    assert named(client.get("/api/docs/?unknown=1")) == ["unknown"]
    assert client.get("/api/docs/?script=true").status_code == 200
