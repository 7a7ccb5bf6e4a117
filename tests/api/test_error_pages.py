"""What a person with a browser reads where there is no page, or where one fails."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest
from django.test import Client

from couriers.admin.today import facts
from tests.support.factories import make_staff

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def operator(client: Client, db: None) -> Client:
    client.force_login(make_staff("view_shipment"))
    client.raise_request_exception = False
    return client


@pytest.mark.parametrize("path", ["/no-such-page/", "/admin/no-such-page/"])
def test_a_page_that_is_missing_is_said_so_in_words(operator: Client, path: str) -> None:
    answer = operator.get(path, headers=BROWSER)
    assert (answer.status_code, answer["Content-Type"]) == (404, "text/html; charset=utf-8")
    page = answer.content.decode()
    assert "There is no such page here." in page
    style = page.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in answer["Content-Security-Policy"]
    plain = operator.get(path)
    assert (plain.status_code, plain.content) == (404, b"Not found\n")


def test_a_page_that_fails_gives_the_number_by_which_it_is_found_and_no_reason(
    operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise ValueError("a secret of the code")

    monkeypatch.setattr(facts, "once", fail)
    answer = operator.get("/admin/", headers=BROWSER)
    page = answer.content.decode()
    assert (answer.status_code, answer["Content-Type"]) == (500, "text/html; charset=utf-8")
    assert "Something went wrong" in page
    assert f"<code>{answer['X-Request-ID']}</code>" in page
    assert "a secret of the code" not in page
