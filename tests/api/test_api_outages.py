"""Problems outside of the views: no database, a body that is too long, an unknown host."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import InterfaceError, OperationalError, connection
from django.test import Client

PROBLEM = "application/problem+json"


@contextmanager
def database_away(error: type[Exception]) -> Iterator[None]:
    """Every statement raises the error, as if the database were away."""

    def cursor(*args: Any, **kwargs: Any) -> Any:
        raise error("server closed the connection unexpectedly")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "cursor", cursor)
        yield


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/api/v1/shipments/", PROBLEM),
        ("/api/v1/ops/in-doubt/", PROBLEM),
        ("/track/shp_x/", "text/html; charset=utf-8"),
        ("/admin/", "text/html; charset=utf-8"),
        ("/admin/shipcrowd_couriers/shipment/", "text/html; charset=utf-8"),
        ("/readyz", "application/json"),
    ],
)
def test_without_the_database_every_page_is_a_503_with_retry_after(
    storefront: Client, client: Client, path: str, kind: str, error: type[Exception]
) -> None:
    client.force_login(get_user_model().objects.create_superuser("op"))
    requester = storefront if path == "/api/v1/shipments/" else client
    requester.raise_request_exception = False
    with database_away(error):
        answer = requester.get(path)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert answer["Content-Type"] == kind
    assert b"closed the connection" not in answer.content


def test_an_unexpected_error_is_a_500_without_details(
    client: Client, db: None, monkeypatch: Any
) -> None:
    def fault(*args: Any) -> Any:
        raise KeyError("secret")

    monkeypatch.setattr("couriers.tracking.page.is_public_id", fault)
    client.raise_request_exception = False
    answer = client.get("/track/shp_x/")
    assert (answer.status_code, answer.content) == (500, b"Something went wrong\n")
    assert "Retry-After" not in answer


def test_a_body_that_is_too_long_is_a_413(
    storefront: Client, account: Any, order: Any, settings: Any
) -> None:
    body = json.dumps(order)
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = len(body)
    answer = storefront.post("/api/v1/shipments/", body + " ", content_type="application/json")
    assert (answer.status_code, answer["Content-Type"]) == (413, PROBLEM)
    assert answer.json()["type"] == "/problems/too-large"
    assert str(len(body)) in answer.json()["detail"]
    assert storefront.post("/api/v1/shipments/", body, "application/json").status_code == 201


def test_a_form_that_is_too_long_is_a_413(client: Client, db: None, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    answer = client.post("/admin/login/", "x" * 11, "application/x-www-form-urlencoded")
    assert (answer.status_code, answer.content) == (413, b"The body is too large\n")


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/api/v1/shipments/", PROBLEM), ("/track/shp_x/", "text/plain; charset=utf-8")],
)
def test_an_unknown_host_is_a_400(client: Client, path: str, kind: str) -> None:
    answer = client.get(path, headers={"Host": "evil.example"})
    assert (answer.status_code, answer["Content-Type"]) == (400, kind)


def test_a_query_with_too_many_parameters_is_malformed(storefront: Client, company: Any) -> None:
    answer = storefront.get("/api/v1/shipments/?" + "&a=" * 1001)
    assert (answer.status_code, answer["Content-Type"]) == (400, PROBLEM)
    assert answer.json()["type"] == "/problems/malformed"
