"""No route tells a company, or a test key, anything of another company or of the other mode.

The walk takes every route of the URL conf with every method, query parameter and value of `expand`.
It asks for rows of a tenant with the keys of others: the answer is the same as for rows that nobody
has, and has none of the tenant's texts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern

from couriers.api.authentication import ApiKeyAuthentication
from couriers.api.base import ApiView
from couriers.api.documentation import openapi_schema
from couriers.api.strictness import declared_by
from couriers.models import Product, Shipment, Warehouse
from couriers.operations.events import number_events
from tests.support.tenants import (
    NEEDED,
    ORDER,
    PARAMETERS,
    ROUTES,
    STAFF_ROUTES,
    Route,
    Tenant,
    make_tenant,
    mode_of,
    routes,
    with_words,
)

pytestmark = pytest.mark.django_db(transaction=True)

METHODS = ("get", "head", "post", "put", "patch", "delete")


@pytest.fixture
def tenants(able: Any, settings: Any, tmp_path: Any) -> list[Tenant]:
    """A company in both modes, and another one in both modes, each with a row of everything."""
    settings.MEDIA_ROOT = str(tmp_path)
    settings.SHIPCROWD = {
        **settings.SHIPCROWD,
        **{f"THROTTLE_{one}": 1_000_000 for one in ("KEY", "COMPANY", "ADDRESS")},
    }
    able.on_call.clear()
    owner, stranger = make_tenant("owner-live"), make_tenant("other-live")
    modes = [
        make_tenant("owner-trial", company=owner.account.company, is_test=True),
        make_tenant("other-trial", company=stranger.account.company, is_test=True),
    ]
    number_events()  # as the first reader would, whoever that is
    return with_words([owner, stranger, *modes])


def operations(pattern: URLPattern) -> dict[str, Any]:
    """The handlers of a route by HTTP method."""
    view: Any = getattr(pattern.callback, "cls", None)
    actions = getattr(pattern.callback, "actions", None) or {m: m for m in METHODS}
    found = {method: getattr(view, name, None) for method, name in actions.items()}
    if found.get("get"):
        found["head"] = found["get"]
    return {method: handler for method, handler in found.items() if handler}


def parameters(pattern: URLPattern, handler: Any) -> set[str]:
    """The query parameters of an operation."""
    view: Any = pattern.callback.cls  # type: ignore[attr-defined]
    actions = getattr(pattern.callback, "actions", None) or {}
    filterset = getattr(view, "filterset_class", None)
    is_list = actions.get("get") == "list" and handler.__name__ == "list"
    filters = filterset.base_filters if filterset and is_list else {}
    found = {*declared_by(handler).parameters, *filters}
    return {"metadata[tag]" if name == "metadata" else name for name in found}


def expands(path: str) -> list[str]:
    """The values of `expand` that the schema gives an operation."""
    operation = openapi_schema()["paths"].get(f"/api/v1/{path}".replace("{}", "{id}"), {})
    for parameter in operation.get("get", {}).get("parameters", []):
        if parameter["name"] == "expand":
            schema = parameter["schema"]
            return list(schema.get("enum") or schema["items"]["enum"])
    return []


def send(
    tenant: Tenant,
    method: str,
    path: str,
    query: Any = None,
    body: Any = None,
    headers: Any = None,
) -> Any:
    client = Client(headers={"Authorization": f"Bearer {tenant.key}"})
    client.raise_request_exception = False
    text = "" if body is None else json.dumps(body)
    return client.generic(method.upper(), path, text, "application/json", query_params=query or {})


def text_of(answer: Any) -> str:
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return content.decode("utf-8", "replace") + "".join(f"{k}: {v}\n" for k, v in answer.items())


def leaks(answer: Any, owner: Tenant, sent: str) -> list[str]:
    """The texts of the owner in an answer that the request did not send itself."""
    text = text_of(answer)
    return [word for word in owner.words if word in text and word not in sent]


def queries(route: str, pattern: URLPattern, handler: Any, owner: Tenant) -> Iterator[Any]:
    needed = NEEDED.get(route, {}) if handler.__name__ in ("get", "list", "retrieve") else {}
    yield needed
    for name in sorted(parameters(pattern, handler)):
        values = expands(route) if name == "expand" else PARAMETERS[name](owner)
        for value in values:
            yield {**needed, name: value}


def shape(answer: Any, its_id: str) -> Any:
    """The status and the body of an answer, without what each request has of its own."""
    if "json" not in answer["Content-Type"] or not answer.content:
        return answer.status_code, text_of(answer) if answer.streaming else ""
    body = json.loads(answer.content.decode().replace(its_id, "ID"))
    if isinstance(body, dict):
        body.pop("request_id", None)
    return answer.status_code, body


def walk(owner: Tenant, other: Tenant) -> Iterator[str]:
    """Yield what the other tenant's key was told of the owner's rows."""
    for path, pattern in routes():
        route = path if path.endswith("/") else f"{path}/"
        if route not in ROUTES:
            continue
        row = ROUTES[route]
        if route.startswith("keys/") and is_test_of(owner, other):
            continue  # a live key manages the company's test keys
        its_id = owner.id_of(row.model) if row.model else ""
        for method, handler in operations(pattern).items():
            body = row.body(owner) if method in ("post", "put", "patch") else None
            for query in queries(route, pattern, handler, owner):
                yield from told(owner, other, row, path, its_id, method, query, body)


def is_test_of(owner: Tenant, other: Tenant) -> bool:
    """Whether the owner is the test mode of the other's company, whose key is a live one."""
    same = owner.account.company_id == other.account.company_id
    return same and owner.account.is_test and not other.account.is_test


def told(
    owner: Tenant, other: Tenant, row: Route, path: str, its_id: str, method: str, query: Any,
    body: Any,
) -> Iterator[str]:  # fmt: skip
    url = "/api/v1/" + path.format(its_id, 1)
    answer = send(other, method, url, query, body)
    what = f"{method} {url} {query}: {answer.status_code}"
    sent = f"{url} {query} {json.dumps(body)}"
    if found := leaks(answer, owner, sent):
        yield f"{what} has {found}"
    if not row.model:
        if answer.status_code not in row.statuses:
            yield f"{what} {text_of(answer)[:200]}"
        return
    nobodys = its_id[:-10] + "0" * 10 if not its_id.startswith("key_") else "key_00000000"
    nothing = send(other, method, "/api/v1/" + path.format(nobodys, 1), query, body)
    if answer.status_code != 404 or shape(answer, its_id) != shape(nothing, nobodys):
        yield f"{what} {text_of(answer)[:200]} is not {text_of(nothing)[:200]}"


def test_the_walk_knows_every_route_and_parameter() -> None:
    found = {path if path.endswith("/") else f"{path}/": one for path, one in routes()}
    assert found.keys() == ROUTES.keys() | STAFF_ROUTES
    for path, pattern in found.items():
        view: Any = pattern.callback.cls  # type: ignore[attr-defined]
        assert issubclass(view, ApiView)
        assert ApiKeyAuthentication in view.authentication_classes
        if path in ROUTES:
            names = {n for h in operations(pattern).values() for n in parameters(pattern, h)}
            assert names <= {*PARAMETERS, "expand"}, f"{path} has unknown parameters"


def test_the_words_to_look_for_are_those_of_a_row_of_everything(tenants: list[Tenant]) -> None:
    for tenant, tag in zip(tenants, ("owner-live", "other-live"), strict=False):
        for word in (
            tenant.id_of(Shipment), f"ORDER-{tag}", f"Person {tag}", f"SKU-{tag}",
            f"House of {tag}", f"HUB {tag}", f"BULK-{tag}", f"Depot {tag}", f"MANIFEST-{tag}",
            f"WAYBILL-{tag}", tenant.account.pk,
        ):  # fmt: skip
            assert word in tenant.words, word
        assert "560001" not in tenant.words


def test_its_own_key_is_told_them(tenants: list[Tenant]) -> None:
    owner = tenants[0]
    found: set[str] = set()
    for path, pattern in routes():
        if path in ROUTES and "get" in operations(pattern):
            model = ROUTES[path].model
            url = "/api/v1/" + path.format(owner.id_of(model) if model else "", 1)
            answer = send(owner, "get", url, NEEDED.get(path))
            found |= {word for word in owner.words if word in text_of(answer)}
    words = ("ORDER-", "SKU-", "HUB ", "BULK-", "Depot ", "MANIFEST-", "WAYBILL-", "CART-")
    for word in words:
        assert f"{word}owner-live" in found, word


@pytest.mark.slow
@pytest.mark.parametrize("pair", [(0, 1), (0, 2), (2, 0), (2, 3)])
def test_no_route_tells_of_another_tenant(tenants: list[Tenant], pair: tuple[int, int]) -> None:
    owner, other = (tenants[number] for number in pair)
    before = rows_of(owner)
    assert list(walk(owner, other)) == []
    assert rows_of(owner) == before


def rows_of(tenant: Tenant) -> list[tuple[Any, ...]]:
    """The tenant's shipments, warehouses, products and keys, as they are stored."""
    models = {route.model for route in ROUTES.values() if route.model}
    return sorted(
        (str(model), *(str(value).partition(" object at 0x")[0] for value in values))
        for model in models
        for row, values in zip(
            model._default_manager.order_by("pk"),
            model._default_manager.order_by("pk").values_list(),
            strict=True,
        )
        if mode_of(row) == tenant.mode and getattr(row, "last_used_at", None) is None
    )


@pytest.mark.parametrize("number", [1, 2, 3])
def test_what_is_unique_is_so_for_one_tenant_alone(tenants: list[Tenant], number: int) -> None:
    owner, other = tenants[0], tenants[number]
    product = {"sku": owner.row(Product).sku}
    assert send(other, "post", "/api/v1/products/", body=product).status_code == 201
    warehouse = {
        "name": owner.row(Warehouse).name, "contact_name": "Gate", "phone": "9845012345",
        "address": "1, Other Road", "city": "Bengaluru", "state": "Karnataka", "pincode": "560001",
    }  # fmt: skip
    made = send(other, "post", "/api/v1/warehouses/", body=warehouse)
    assert made.status_code == 201
    order = ORDER | {
        "order_number": owner.row(Shipment).order_number, "warehouse": made.json()["id"]
    }  # fmt: skip
    url = "/api/v1/shipments/"
    assert send(other, "post", url, body=order).status_code == 201
    key = {"Idempotency-Key": "the-same-key"}
    for tenant in (owner, other):
        mine = order | {"order_number": "KEYED", "warehouse": tenant.id_of(Warehouse)}
        assert send(tenant, "post", url, body=mine, headers=key).status_code == 201
    bulk = [
        send(tenant, "post", f"{url}bulk/", body={"orders": [order]}, headers=key)
        for tenant in (owner, other)
    ]
    assert [one.status_code for one in bulk] == [202, 202]
    assert bulk[0].json()["id"] != bulk[1].json()["id"]


@pytest.mark.parametrize("number", [0, 2])
def test_no_key_opens_what_is_for_staff(tenants: list[Tenant], number: int) -> None:
    for path, pattern in routes():
        if (path if path.endswith("/") else f"{path}/") in STAFF_ROUTES:
            for method in operations(pattern):
                url = "/api/v1/" + path.format("1" if "webhook" in path else tenants[0].account.pk)
                assert send(tenants[number], method, url).status_code == 403, (method, url)
