"""What an API key may be used for, until when, and when it was used."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from couriers.api import key_use
from couriers.api.base import ApiView
from couriers.api.documentation import openapi_schema
from couriers.api.permissions import IsCompany
from couriers.api.strictness import required_scope
from couriers.models import CompanyApiKey, Scope
from tests.support.api import SHIPMENTS, post_json, post_shipment

# Reading these needs more than `read`.
FOR_OPERATORS = ("/keys", "/webhook-endpoints")
METHODS = ("get", "post", "put", "patch", "delete")


def client_with(company: Any, *scopes: str, **more: Any) -> Client:
    if scopes:
        more["scopes"] = list(scopes)
    _, key = CompanyApiKey.objects.create_key(name="tests", company=company, **more)
    return Client(headers={"Authorization": f"Bearer {key}"})


def guessed(prefix: str) -> str:
    """A key with a known beginning, and secret characters that are not its own."""
    return f"sk_live_{prefix}{'x' * 32}"


def refusal(answer: Any) -> tuple[int, str, str]:
    body = answer.json()
    return answer.status_code, body["type"].rsplit("/", 1)[-1], body.get("scope", "")


def patterns(resolver: URLResolver, path: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from patterns(entry, f"{path}{entry.pattern}")
        else:
            yield f"{path}{entry.pattern}", entry


def operations() -> Iterator[tuple[str, str, Any]]:
    """The path, method and handler of each operation of companies, with and without the slash."""
    for path, pattern in patterns(get_resolver()):
        view = getattr(pattern.callback, "cls", None)
        if (
            view is None
            or not issubclass(view, ApiView)
            or IsCompany not in view.permission_classes
        ):
            continue
        actions = getattr(pattern.callback, "actions", None) or {m: m for m in METHODS}
        for method, name in actions.items():
            if handler := getattr(view, name, None):
                yield path, method, handler


def test_every_route_of_a_company_has_a_scope() -> None:
    scopes = {
        (path, method): required_scope(handler, method) for path, method, handler in operations()
    }
    assert len(scopes) >= 60
    assert set(scopes.values()) == set(Scope)
    for (path, method), scope in scopes.items():
        for_all = not any(part in path for part in FOR_OPERATORS)
        assert scope == Scope.READ or method != "get" or not for_all, path


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "", "read"),
        ("GET", "shp_01/label/", "read"),
        ("POST", "shp_01/track/", "read"),
        ("POST", "", "book"),
        ("POST", "bulk/", "book"),
        ("POST", "shp_01/return/", "book"),
        ("POST", "shp_01/cancel/", "operate"),
        ("POST", "shp_01/rto/", "operate"),
        ("POST", "shp_01/reattempt/", "operate"),
        ("POST", "shp_01/address/", "operate"),
        ("POST", "shp_01/dispatch-date/", "operate"),
        ("POST", "../rates/", "book"),
        ("POST", "../warehouses/", "operate"),
        ("PATCH", "../warehouses/whs_01/", "operate"),
        ("POST", "../manifests/", "operate"),
        ("DELETE", "../products/prd_01/", "operate"),
    ],
)
def test_an_operation_is_refused_without_its_scope_alone(
    company: Any, account: Any, method: str, path: str, scope: str
) -> None:
    url = f"{SHIPMENTS}{path}".replace("shipments/../", "").replace("_01", f"_{'0' * 26}")
    others = [one for one in Scope.values if one != scope]
    for address in (url, url.removesuffix("/")):
        answer = client_with(company, *others).generic(method, address, "{}", "application/json")
        assert refusal(answer) == (403, "scope-missing", scope)
        assert f"'{scope}'" in answer.json()["detail"]
    allowed = client_with(company, scope).generic(method, url, "{}", "application/json")
    assert allowed.status_code in (200, 400, 404)


def test_a_refused_operation_books_nothing(
    company: Any, account: Any, order: Any, toy: Any
) -> None:
    assert post_shipment(client_with(company, "read", "operate"), order).status_code == 403
    assert toy.booked == []
    assert post_shipment(client_with(company, "book"), order).status_code == 201


def test_a_key_for_which_none_are_chosen_has_all(company: Any) -> None:
    client_with(company)
    assert set(CompanyApiKey.objects.get().scopes) == set(Scope)


def test_the_schema_tells_the_scope_of_each_operation(db: None) -> None:
    paths = openapi_schema()["paths"]
    book = paths["/api/v1/shipments/"]["post"]
    assert book["security"] == [{"Bearer": ["book"]}, {"ApiKey": ["book"]}]
    assert paths["/api/v1/shipments/"]["get"]["security"][0] == {"Bearer": ["read"]}
    types = book["responses"]["403"]["content"]["application/problem+json"]["schema"]
    assert "/problems/scope-missing" in types["properties"]["type"]["enum"]


def test_an_expired_key_is_told_so_and_a_wrong_one_is_not(company: Any) -> None:
    end = timezone.now() + dt.timedelta(hours=1)
    client = client_with(company, expiry_date=end)
    with time_machine.travel(end - dt.timedelta(seconds=1), tick=False) as clock:
        assert client.get(SHIPMENTS).status_code == 200
        clock.shift(2)
        answer = client.get(SHIPMENTS)
        assert refusal(answer) == (401, "key-expired", "")
        assert f"{end:%Y-%m-%dT%H:%M:%SZ}" in answer.json()["detail"]
        prefix = CompanyApiKey.objects.get().prefix
        wrong = Client(headers={"Authorization": f"Bearer {guessed(prefix)}"}).get(SHIPMENTS)
        assert refusal(wrong) == (401, "unauthenticated", "")
        CompanyApiKey.objects.update(revoked=True)
        assert refusal(client.get(SHIPMENTS)) == (401, "unauthenticated", "")


def test_the_last_use_is_written_for_all_keys_by_one_statement(
    company: Any, django_assert_num_queries: Any
) -> None:
    unused = client_with(company)
    clients = [client_with(company), client_with(company)]
    first = timezone.now()
    for client in clients * 2:
        client.get(SHIPMENTS)
    assert not CompanyApiKey.objects.exclude(last_used_at=None).exists()
    with django_assert_num_queries(1):
        key_use.write()
    used = CompanyApiKey.objects.exclude(last_used_at=None).values_list("last_used_at", flat=True)
    assert len(used) == 2
    assert all(first <= at <= timezone.now() for at in used)
    with django_assert_num_queries(0):
        key_use.write()
    unused.get(SHIPMENTS)
    key_use.write()
    assert not CompanyApiKey.objects.filter(last_used_at=None).exists()


def test_a_wrong_key_is_no_use(company: Any) -> None:
    client_with(company)
    prefix = CompanyApiKey.objects.get().prefix
    Client(headers={"Authorization": f"Bearer {guessed(prefix)}"}).get(SHIPMENTS)
    key_use.write()
    assert CompanyApiKey.objects.get().last_used_at is None


def test_an_older_use_does_not_replace_a_newer_one(company: Any) -> None:
    client = client_with(company)
    later = timezone.now() + dt.timedelta(minutes=5)
    CompanyApiKey.objects.update(last_used_at=later)
    client.get(SHIPMENTS)
    key_use.write()
    assert CompanyApiKey.objects.get().last_used_at == later


@pytest.mark.django_db(transaction=True)
def test_a_use_that_cannot_be_written_fails_no_request(
    company: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_with(company)
    assert client.get(SHIPMENTS).status_code == 200
    monkeypatch.setattr(key_use, "_WRITE", "SELECT 1/0 FROM (VALUES (%s, %s, %s)) AS given")
    key_use.write()
    monkeypatch.undo()
    assert post_json(client, SHIPMENTS, {}).status_code == 400
