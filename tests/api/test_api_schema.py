"""The OpenAPI schema describes what the API answers, closely enough to mean something."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from couriers.api.documentation import openapi_schema
from couriers.api.operation_names import group_of
from couriers.api.problem_page import REMEDIES
from couriers.api.problem_schema import KINDS, by_status
from couriers.models import Scope
from tests.support.answers import PROBLEM, Answer, NotInTheSchema, check_answer

WITH_CSV = ("list_shipments", "list_job_orders", "list_courier_performance")
JSON = "application/json"
PAGE = {"results": [], "next": None, "total": None}
ORDER_LIVE = {
    "type": "/problems/order-live",
    "title": "The order has a live shipment",
    "status": 409,
    "detail": "It has one.",
    "shipment": "shp_1",
    "shipment_status": "booked",
}


def operations() -> dict[str, dict[str, Any]]:
    return {
        operation["operationId"]: operation
        for path in openapi_schema()["paths"].values()
        for operation in path.values()
    }


def success(operation: dict[str, Any]) -> dict[str, Any]:
    return {code: r for code, r in operation["responses"].items() if code[0] == "2"}


def answer_schema(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = success(operations()[name])["200"]["content"][JSON]["schema"]
    while "$ref" in schema:
        schema = openapi_schema()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


@pytest.mark.parametrize("name", ["list_shipments", "list_manifests", "list_webhook_events"])
def test_a_page_is_described_as_an_object_with_results(name: str) -> None:
    assert {"results", "next"} <= set(answer_schema(name)["properties"]) <= {*PAGE}


@pytest.mark.parametrize("name", ["list_warehouses", "list_shipment_scans", "list_couriers"])
def test_a_list_without_pages_is_described_as_an_array(name: str) -> None:
    assert answer_schema(name)["type"] == "array"


def test_operations_are_named_by_a_verb_and_what_it_is_done_to() -> None:
    names = set(operations())
    assert len(names) == sum(map(len, openapi_schema()["paths"].values()))
    assert {
        "book_shipment", "list_shipments", "get_shipment", "cancel_shipment", "get_shipment_label",
        "list_shipment_scans", "replace_warehouse", "list_warehouse_pickups", "delete_product",
    } <= names  # fmt: skip
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)+", name) for name in names)


def test_operations_are_in_groups_with_booking_first_and_staff_last() -> None:
    schema = openapi_schema()
    groups = [tag["name"] for tag in schema["tags"]]
    assert (groups[0], groups[-1]) == ("Shipments", "Staff")
    in_order = [operation["tags"] for operation in operations().values()]
    assert in_order == sorted(in_order, key=lambda tags: groups.index(tags[0]))
    assert next(iter(operations())) == "book_shipment"
    for name, operation in operations().items():
        (group,) = operation["tags"]
        staff = any("Session" in way for way in operation["security"])
        assert (group == "Staff") == staff, name
        assert operation["summary"], name


def test_a_path_without_a_group_is_an_error() -> None:
    with pytest.raises(ValueError, match="no group"):
        group_of("parcels/")


def test_every_answer_tells_the_quota_and_the_id_of_the_request() -> None:
    told = {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "X-Request-ID"}
    for name, operation in operations().items():
        assert "Retry-After" in operation["responses"]["429"]["headers"], name
        for code, response in operation["responses"].items():
            assert told <= set(response["headers"]), (name, code)


def test_no_object_has_members_that_the_schema_does_not_name() -> None:
    components = openapi_schema()["components"]["schemas"]
    open_ones = [
        name
        for name, schema in components.items()
        if schema.get("type") == "object" and schema.get("additionalProperties") is not False
    ]
    assert open_ones == []


def test_a_path_answers_in_one_media_type_but_where_somebody_chooses() -> None:
    for name, operation in operations().items():
        for code, response in operation["responses"].items():
            media_types = [*response.get("content", ())]
            if (name, code) == ("get_shipment_proof_of_delivery", "200"):  # the courier chooses
                assert media_types == ["application/pdf", "image/jpeg", "image/png"]
            elif code == "200" and name in WITH_CSV:  # the client does
                assert media_types == ["application/json", "text/csv"]
            else:
                assert len(media_types) == (code not in ("204", "304")), (name, code)


def test_every_operation_tells_its_problems_of_the_platform_and_of_the_client() -> None:
    for name, operation in operations().items():
        assert {"400", "403", "406", "429", "500", "503"} <= set(operation["responses"]), name
        assert operation["security"] != [{}]


def test_operations_name_the_credentials_that_give_access() -> None:
    for path, methods in openapi_schema()["paths"].items():
        for method, operation in methods.items():
            if "/ops/" in path:
                token = {} if method == "get" else {"CsrfToken": []}
                assert operation["security"] == [{"Session": [], **token}], path
            else:
                bearer, api_key = operation["security"]
                (scope,) = bearer["Bearer"]
                assert (bearer, api_key) == ({"Bearer": [scope]}, {"ApiKey": [scope]}), path
                assert scope in Scope.values


def test_every_problem_has_a_kind() -> None:
    assert set(KINDS) == set(REMEDIES)


@pytest.mark.parametrize("name", ["error", "no-such-problem"])
def test_an_operation_cannot_declare_a_problem_without_a_status(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        by_status([name])


def problem(**changes: Any) -> Answer:
    body = {key: value for key, value in (ORDER_LIVE | changes).items() if value is not None}
    return Answer(409, PROBLEM, {}, body)


@pytest.mark.parametrize(
    ("method", "path", "answer", "why"),
    [
        ("GET", "shipments/", Answer(200, JSON, {}, []), "is not of type 'object'"),
        ("GET", "shipments", Answer(200, JSON, {}, {**PAGE, "x": 1}), "Additional properties"),
        ("GET", "shipments/", Answer(200, JSON, {}, {"results": []}), "'next' is a required"),
        ("GET", "shipments/", Answer(200, "text/html", {}, None), "media type"),
        ("GET", "shipments/", Answer(299, JSON, {}, PAGE), "the status"),
        ("GET", "shipments/", Answer(200, JSON, {"location": "/"}, PAGE), "header Location"),
        ("POST", "shipments/bulk/", Answer(202, JSON, {}, {}), "header Location is missing"),
        ("POST", "shipments/", problem(shipment=None), "'shipment' is a required"),
        ("POST", "shipments/", problem(status=400), "409 was expected"),
        ("POST", "shipments/", problem(fields=["a"]), "fields"),
        ("POST", "shipments/", problem(type="/problems/too-early"), "is not one of"),
        ("GET", "no-such-path/", Answer(200, JSON, {}, {}), "no operation"),
        ("DELETE", "shipments/", Answer(200, JSON, {}, {}), "no operation"),
    ],
)
def test_an_answer_that_the_schema_does_not_describe_is_found(
    method: str, path: str, answer: Answer, why: str
) -> None:
    with pytest.raises(NotInTheSchema, match=why):
        check_answer(method, f"/api/v1/{path}", answer)


def test_an_answer_that_the_schema_describes_passes() -> None:
    check_answer("GET", "/api/v1/shipments", Answer(200, JSON, {}, PAGE))
    check_answer("POST", "/api/v1/shipments/", problem())


def test_a_test_that_gets_another_answer_fails(storefront: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr("couriers.api.shipments.sorted_page", lambda *_, **__: ([], 7))
    with pytest.raises(NotInTheSchema, match=r"\$\.next: 7"):
        storefront.get("/api/v1/shipments/")


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "PROPFIND"])
def test_a_method_that_no_operation_has_is_not_allowed(storefront: Client, method: str) -> None:
    for path in ("shipments/", "warehouses/", "rates"):
        answer = storefront.generic(method, f"/api/v1/{path}")
        assert (answer.status_code, answer.json()["type"]) == (405, "/problems/method-not-allowed")
        assert "OPTIONS" not in answer["Allow"]
