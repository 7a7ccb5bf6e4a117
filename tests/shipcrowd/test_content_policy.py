"""Every answer of the project has a Content-Security-Policy, the pages' own ones stricter."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client

from couriers.models import CourierAccount, Shipment
from tests.support.admin_links import list_url, row_url
from tests.support.everything import make_everything
from tests.support.urls import patterns

HEADER = "Content-Security-Policy"
NOTHING = {
    "default-src": "'none'", "base-uri": "'none'", "form-action": "'none'",
    "frame-ancestors": "'none'",
}  # fmt: skip
# The form that finds a parcel posts to this server.
FORM = NOTHING | {"form-action": "'self'"}
FORMS = re.compile("/track(/find/[^/]+)?$")
PATHS = sorted({path.rstrip("/") for path in patterns()})


def policy_of(answer: Any) -> dict[str, str]:
    """The directives of an answer, each with its sources; fails where it has not one policy."""
    assert HEADER in answer.headers, (answer.request["PATH_INFO"], answer.status_code)
    parts = [part.strip().partition(" ") for part in answer.headers[HEADER].split(";")]
    assert len({name for name, _, _ in parts}) == len(parts)
    return {name: sources for name, _, sources in parts}


def check_page(answer: Any) -> None:
    """The policy is strict, and the page has no script or event of its own inside."""
    policy = policy_of(answer)
    assert policy.items() >= NOTHING.items()
    assert "unsafe" not in answer.headers[HEADER]
    text = answer.content.decode()
    assert not re.findall(r"<script(?![^>]*\ssrc=)|\son[a-z]+=|\sstyle=|javascript:", text)
    for style in re.findall(r"<style>(.*?)</style>", text, re.DOTALL):
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy["style-src"]


@pytest.mark.parametrize("who", ["company", "staff", "nobody"])
def test_every_answer_of_the_apps_has_a_strict_policy(
    storefront: Client, admin_client: Client, account: Any, who: str
) -> None:
    client = {"company": storefront, "staff": admin_client, "nobody": Client()}[who]
    client.raise_request_exception = False
    for path in PATHS:
        for method in ("GET", "POST"):
            answer = client.generic(method, path, "", "application/json")
            policy = policy_of(answer)
            assert policy.items() >= (FORM if FORMS.match(path) else NOTHING).items(), path
            is_page = "text/html" in answer.get("Content-Type", "")
            if not is_page and "/docs" not in path:
                assert policy == NOTHING, path


def test_the_pages_of_the_apps_allow_just_what_they_have(
    client: Client, shipment: Shipment
) -> None:
    for path in (
        f"/track/{shipment.pk}/", "/track/nothing/", "/problems/validation", "/api/docs/",
    ):  # fmt: skip
        check_page(client.get(path))
    assert policy_of(client.get("/api/docs/"))["script-src"] == "'self'"
    assert "script-src" not in policy_of(client.get(f"/track/{shipment.pk}/"))


def test_the_documentation_may_load_static_files_of_another_host(
    client: Client, settings: Any
) -> None:
    settings.STATIC_URL = "https://files.example/static/"
    policy = policy_of(client.get("/api/docs/"))
    for kind in ("script-src", "style-src", "img-src"):
        assert "https://files.example" in policy[kind].split()


@pytest.mark.slow
@pytest.mark.django_db
def test_every_page_of_the_admin_has_its_policy(
    admin_client: Client, account: CourierAccount
) -> None:
    make_everything(account)
    urls = ["/admin/", "/admin/login/", "/admin/password_change/", "/admin/jsi18n/",
            "/admin/shipcrowd_couriers/", "/admin/search/?s=A-1", "/admin/logout/"]  # fmt: skip
    for model, page in admin.site._registry.items():
        urls.append(list_url(model))
        if row := page.model._default_manager.first():
            urls.append(row_url(row))
    for url in urls:
        policy = policy_of(admin_client.get(url))
        assert policy["default-src"] == policy["object-src"] == "'none'", url
        assert policy["frame-ancestors"] == policy["base-uri"] == "'none'", url
        assert policy["script-src"] == "'self' 'unsafe-eval'", url
        assert policy["form-action"] == policy["connect-src"] == "'self'", url


def test_errors_and_redirects_have_a_policy(
    client: Client, settings: Any, monkeypatch: Any
) -> None:
    client.raise_request_exception = False
    settings.ALLOWED_HOSTS = ["testserver"]
    assert policy_of(client.get("/nothing-here")) == NOTHING
    assert policy_of(client.get("/", headers={"Host": "elsewhere.example"})) == NOTHING
    assert "default-src" in policy_of(client.get("/"))  # a redirect
    settings.SECURE_SSL_REDIRECT = True
    assert "default-src" in policy_of(Client().get("/healthz-redirected"))
    settings.SECURE_SSL_REDIRECT = False

    def fail(*_: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("couriers.operations.health.JsonResponse", fail)
    answer = client.get("/healthz")
    assert (answer.status_code, policy_of(answer)) == (500, NOTHING)


def test_a_callback_is_answered_with_a_policy(client: Client, account: Any) -> None:
    answer = client.post(f"/webhooks/toy/{account.pk}/", b"{}", content_type="application/json")
    assert (answer.status_code, policy_of(answer)) == (401, NOTHING)


def test_the_other_headers_of_a_page_are_set(admin_client: Client) -> None:
    headers = admin_client.get("/admin/").headers
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert "camera=()" in headers["Permissions-Policy"]
