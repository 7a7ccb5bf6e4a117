"""What every route of the schema does with HEAD, with other methods, and with compression."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client, override_settings

from couriers.api import compression
from couriers.api.documentation import openapi_schema
from tests.support.urls import ID

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
ORIGIN = {"Origin": "https://shop.example"}


def routes() -> Iterator[tuple[str, set[str]]]:
    """Yield the path of each route of the schema, with an example of its id, and its methods."""
    for path, methods in openapi_schema()["paths"].items():
        parameters = [
            parameter
            for described in methods.values()
            for parameter in described.get("parameters", ())
            if parameter["in"] == "path"
        ]
        for parameter in parameters:
            number = parameter["schema"].get("type") == "integer"
            path = path.replace(f"{{{parameter['name']}}}", "1" if number else ID)
        yield path, {method.upper() for method in methods}


@pytest.fixture
def clients(storefront: Client, admin_client: Client) -> dict[bool, Client]:
    """The client of each route, by whether the route is one of staff."""
    return {False: storefront, True: admin_client}


def test_every_get_has_a_head_with_the_same_status_and_headers(
    clients: dict[bool, Client], account: Any
) -> None:
    asked = 0
    for path, methods in routes():
        if "GET" not in methods:
            continue
        client = clients["/ops/" in path]
        found, head = client.get(path), client.head(path)
        assert head.status_code == found.status_code, path
        assert head.content == b"", path
        assert head["Content-Type"] == found["Content-Type"], path
        names = {name for name in found.headers if name != "Retry-After"}
        assert names <= {*head.headers, "Content-Length"}, path
        asked += 1
    assert asked > 15


def test_every_other_method_is_a_405_that_names_those_allowed(
    clients: dict[bool, Client], account: Any
) -> None:
    asked = 0
    for path, methods in routes():
        allowed = methods | ({"HEAD"} if "GET" in methods else set())
        for method in (*METHODS, "HEAD", "OPTIONS", "TRACE", "BREW"):
            if method in allowed:
                continue
            answer = clients["/ops/" in path].generic(method, path)
            assert answer.status_code == 405, (method, path, answer.content)
            assert set(answer["Allow"].split(", ")) == allowed, (method, path)
            assert answer["Content-Type"] == "application/problem+json"
            if method != "HEAD":
                assert answer.json()["type"] == "/problems/method-not-allowed"
            asked += 1
    assert asked > 100


def test_no_answer_lets_a_page_of_another_site_read_it(
    clients: dict[bool, Client], account: Any
) -> None:
    preflight = ORIGIN | {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    for path, methods in routes():
        client = clients["/ops/" in path]
        answers = [client.generic("OPTIONS", path, headers=preflight)]
        if "GET" in methods:
            answers.append(client.get(path, headers=ORIGIN))
        for answer in answers:
            assert not [n for n in answer.headers if n.lower().startswith("access-control-")], path
        assert answers[0].status_code == 405


def warehouses(client: Client, **headers: str) -> Any:
    return client.get("/api/v1/warehouses/", headers=headers)


@pytest.fixture
def many(company: Any) -> None:
    """Some rows, so that the list of warehouses is longer than 1 KB."""
    warehouse = company.warehouses.get()
    for number in range(20):
        warehouse.pk, warehouse.name, warehouse.is_default = f"whs_{number}", f"W {number}", False
        warehouse._state.adding = True
        warehouse.save()


@pytest.mark.parametrize("accepted", ["gzip", "br;q=1.0, gzip;q=0.8", "deflate, GZIP"])
def test_a_long_answer_is_compressed_where_that_is_accepted(
    storefront: Client, many: None, accepted: str
) -> None:
    plain = warehouses(storefront)
    assert "Content-Encoding" not in plain
    assert "Accept-Encoding" in plain["Vary"]
    packed = warehouses(storefront, **{"Accept-Encoding": accepted})
    assert packed["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed["Vary"]
    assert gzip.decompress(packed.content) == plain.content
    assert int(packed["Content-Length"]) == len(packed.content) < len(plain.content) / 3


@pytest.mark.parametrize("accepted", ["", "identity", "br", "gzip;q=0", "gzip; q=0.0, br"])
def test_an_answer_is_not_compressed_where_that_is_not_accepted(
    storefront: Client, many: None, accepted: str
) -> None:
    answer = warehouses(storefront, **{"Accept-Encoding": accepted})
    assert "Content-Encoding" not in answer
    assert len(answer.json()) > 20


def test_a_short_answer_is_not_compressed(storefront: Client, company: Any) -> None:
    answer = warehouses(storefront, **{"Accept-Encoding": "gzip"})
    assert len(answer.content) < 1024
    assert "Content-Encoding" not in answer
    assert "Accept-Encoding" in answer["Vary"]


def test_the_answer_to_a_post_is_not_compressed(
    storefront: Client, account: Any, order: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a secret is shown once, it is in such an answer."""
    monkeypatch.setattr(compression, "MIN_BYTES", 100)
    answer = storefront.post(
        "/api/v1/shipments/", order, content_type="application/json",
        headers={"Accept-Encoding": "gzip"},
    )  # fmt: skip
    assert len(answer.content) > 100
    assert "Content-Encoding" not in answer


def test_what_must_not_be_stored_is_not_compressed(
    storefront: Client, many: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from couriers.api.warehouses import WarehousesView

    list_them: Any = WarehousesView.get

    def get(view: Any, request: Any) -> Any:
        answer = list_them(view, request)
        answer["Cache-Control"] = "no-store"
        return answer

    get.accepted = list_them.accepted  # type: ignore[attr-defined]
    monkeypatch.setattr(WarehousesView, "get", get)
    answer = warehouses(storefront, **{"Accept-Encoding": "gzip"})
    assert (answer["Cache-Control"], "Content-Encoding" in answer) == ("no-store", False)


def test_the_schema_is_compressed(client: Client, db: None) -> None:
    for path in ("/api/schema/", "/api/schema/?format=json"):
        answer = client.get(path, headers={"Accept-Encoding": "gzip"})
        assert answer["Content-Encoding"] == "gzip", path
        assert len(gzip.decompress(answer.content)) > 1024
    assert json.loads(gzip.decompress(client.get(
        "/api/schema/?format=json", headers={"Accept-Encoding": "gzip"}
    ).content))["openapi"]  # fmt: skip


@override_settings(MIDDLEWARE=["django.middleware.gzip.GZipMiddleware"])
def test_a_hosts_own_compression_compresses_nothing_twice(storefront: Client, many: None) -> None:
    packed = warehouses(storefront, **{"Accept-Encoding": "gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(packed.content))
