"""Who sends no credentials must authenticate (401); who sends others is not allowed (403)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework import exceptions as drf

from couriers.api import problem_types, problems
from tests.support.factories import make_api_key, make_staff

OF_COMPANIES = "/api/v1/shipments/"
OF_STAFF = ("/api/v1/ops/in-doubt/", "/api/v1/ops/circuits/", "/api/v1/ops/webhook-events/")


def outcome(answer: Any) -> tuple[int, str]:
    assert answer.json()["status"] == answer.status_code
    return answer.status_code, answer.json()["type"].rsplit("/", 1)[-1]


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("url", [OF_COMPANIES, *OF_STAFF])
@pytest.mark.parametrize("key", ["", "Api-Key x.y", "Api-Key ", "Basic eDp5"])
def test_without_valid_credentials_a_request_must_authenticate(
    db: None, url: str, key: str
) -> None:
    answer = Client(headers={"Authorization": key} if key else {}).get(url)
    assert outcome(answer) == (401, "unauthenticated")
    assert answer["WWW-Authenticate"] == ("Api-Key" if url == OF_COMPANIES else "Session")


@pytest.mark.parametrize("url", OF_STAFF)
def test_a_companys_key_is_not_allowed_where_staff_is(storefront: Client, url: str) -> None:
    answer = storefront.get(url)
    assert outcome(answer) == (403, "forbidden")
    assert "staff" in answer.json()["detail"]


@pytest.mark.parametrize("url", OF_STAFF)
def test_staff_without_the_permission_is_not_allowed(db: None, url: str) -> None:
    assert outcome(client_of(make_staff()).get(url)) == (403, "forbidden")


def test_a_session_is_not_allowed_where_a_company_is(admin_client: Client) -> None:
    assert outcome(admin_client.get(OF_COMPANIES)) == (403, "forbidden")


def test_a_session_without_its_csrf_token_is_not_allowed(admin_user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)
    answer = client.post("/api/v1/ops/webhook-events/1/replay/")
    assert outcome(answer) == (403, "forbidden")


def test_a_key_of_an_inactive_company_must_authenticate(company: Any) -> None:
    client = Client(headers={"Authorization": f"Api-Key {make_api_key(company)}"})
    company.is_active = False
    company.save()
    assert outcome(client.get(OF_COMPANIES)) == (401, "unauthenticated")


def test_credentials_come_before_unknown_input(db: None) -> None:
    assert Client().get(f"{OF_COMPANIES}?unknown=1").status_code == 401


def test_titles_are_sentences_of_the_platform(storefront: Client) -> None:
    titles = {title for _, title in problem_types.FRAMEWORK_PROBLEMS.values()}
    titles |= {one.title for one in problem_types.COURIER_PROBLEMS.values()}
    titles |= {one.title for one in problem_types.PLATFORM_PROBLEMS.values()}
    assert all(re.fullmatch(r"[A-Z][A-Za-z' ]+", title) for title in titles), titles
    assert storefront.delete(OF_COMPANIES).json()["title"] == "Method not allowed"
    answer = storefront.post(OF_COMPANIES, "x", content_type="text/plain")
    assert (answer.status_code, answer.json()["title"]) == (415, "Unsupported media type")


def test_every_error_of_the_framework_has_a_title() -> None:
    arguments: dict[Any, Any] = {drf.MethodNotAllowed: ["GET"], drf.UnsupportedMediaType: ["x/y"]}
    for kind in (drf.APIException, *drf.APIException.__subclasses__()):
        if kind is not drf.ValidationError:
            error = kind(*arguments.get(kind, ()))
            response = problems.exception_handler(error, {})
            assert response is not None
            assert "{" not in response.data["title"]
