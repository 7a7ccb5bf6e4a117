"""Invalid paths and bodies are answered by a problem of status 400 or 404, never by a 500."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from couriers.contract.json_limits import MAX_DEPTH, json_problem
from couriers.models import Shipment

URL = "/api/v1/shipments/"


def post(client: Client, body: Any, url: str = URL, charset: str = "utf-8") -> Any:
    client.raise_request_exception = False
    data = body if isinstance(body, (str, bytes)) else json.dumps(body)
    # client.post() would encode the body in that charset.
    return client.generic("POST", url, data, f"application/json; charset={charset}")


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.mark.parametrize(
    "path",
    ["warehouses/{}/", "jobs/{}/", "manifests/{}/", "shipments/{}/", "shipments/{}/return/",
     "ops/in-doubt/{}/resolve/", "ops/circuits/{}/"],
)  # fmt: skip
@pytest.mark.parametrize("pk", ["%00", "shp_%00", "x" * 41, "SHP_X", "%ED%A0%80", "a%20b"])
def test_an_invalid_id_is_a_404(storefront: Client, path: str, pk: str) -> None:
    answer = post(storefront, {}, f"/api/v1/{path.format(pk)}")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")


@pytest.mark.parametrize("pk", ["%00", "shp_%00", "x" * 41, "%ED%A0%80"])
def test_the_tracking_page_of_an_invalid_id_is_an_html_404(
    client: Client, db: None, pk: str
) -> None:
    answer = client.get(f"/track/{pk}/")
    assert answer.status_code == 404
    assert "text/html" in answer["Content-Type"]


@pytest.mark.parametrize("url", [URL, "/api/v1/shipments/bulk/"])
@pytest.mark.parametrize(
    "value", [r'"\u0000"', r'"a\ud800"', "1e999", "-1e999", "NaN", nested(900), r'{"\udfff": 1}']
)
def test_options_that_cannot_be_stored_are_malformed(
    storefront: Client, account: Any, order: Any, url: str, value: str
) -> None:
    order["options"] = {"note": "here"}
    body = {"orders": [order]} if url.endswith("bulk/") else order
    answer = post(storefront, json.dumps(body).replace('"here"', value), url)
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/malformed")
    assert not Shipment.objects.exists()


@pytest.mark.parametrize("change", [{"\ud800": 1}, {"payment_mode": "\ud800"}, {"courier": "\0"}])
def test_a_value_that_cannot_be_sent_back_is_malformed(
    storefront: Client, account: Any, order: Any, change: Any
) -> None:
    answer = post(storefront, order | change)
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/malformed")


@pytest.mark.parametrize("url", [URL, "/api/v1/warehouses/", "/api/v1/rates/"])
@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 2_000, 200_000])
def test_a_body_that_is_nested_too_deeply_is_malformed(
    storefront: Client, company: Any, url: str, depth: int
) -> None:
    answer = post(storefront, nested(depth), url)
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/malformed")


def test_only_nesting_beyond_the_limit_is_a_problem() -> None:
    assert json_problem(json.loads(nested(MAX_DEPTH))) is None
    assert json_problem(json.loads(nested(MAX_DEPTH + 1)))
    assert json_problem({"a": [1.5, "é 👩", None, True, 10**400]}) is None


@pytest.mark.parametrize("charset", ["utf-7", "unicode_escape", "utf-16", "latin-1", "zlib"])
def test_a_body_is_read_as_utf_8_whatever_charset_is_named(
    storefront: Client, account: Any, order: Any, charset: str
) -> None:
    order["consignee"]["name"] = "अशा"
    body = json.dumps(order, ensure_ascii=False).encode()
    assert post(storefront, body, charset=charset).status_code == 201
    assert Shipment.objects.get().consignee_name == "अशा"
    if charset in ("utf-16", "latin-1"):
        body = body.decode().replace("अशा", "é").encode(charset)
        answer = post(storefront, body, charset=charset)
        assert (answer.status_code, answer.json()["type"]) == (400, "/problems/malformed")
