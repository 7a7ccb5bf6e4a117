"""The pages of the reference and of the problems: complete, linked, and made from the schema."""

from __future__ import annotations

import html
import re
import shlex
from typing import Any

import pytest
from django.test import Client

from couriers.api.described_operations import curl_of, operations_in
from couriers.api.documentation import openapi_schema
from couriers.api.field_rows import field_rows
from couriers.api.problem_causes import CAUSES
from couriers.api.problem_page import REMEDIES
from couriers.api.problem_schema import KINDS
from couriers.api.recordings import of_operation

INDEX = "/api/reference/"


def words_of(client: Client, path: str) -> str:
    """The text of a page that is there, without its tags."""
    answer = client.get(path)
    assert answer.status_code == 200, path
    page = answer.content.decode()
    assert "<script" not in page
    # Names in code have backticks where the sentence is written.
    return html.unescape(re.sub(r"<[^>]+>", "", re.sub(r"<code>(\w+)</code>", r"`\1`", page)))


def links_of(client: Client, path: str) -> set[str]:
    return set(re.findall(r'href="(/[^"#]+)"', client.get(path).content.decode()))


def test_the_index_leads_to_every_operation_and_problem_with_staff_apart(client: Client) -> None:
    links = links_of(client, INDEX)
    operations = operations_in(openapi_schema())
    assert {operation.url for operation in operations} <= links
    assert {f"/problems/{name}" for name in KINDS} <= links
    page = client.get(INDEX).content.decode()
    staff = page.index('class="staff"')
    assert all(
        (page.index(f'href="{operation.url}"') > staff) == (operation.group == "Staff")
        for operation in operations
    )


def test_every_page_of_an_operation_has_its_request_answers_fields_and_problems(
    client: Client,
) -> None:
    for operation in operations_in(openapi_schema()):
        words = words_of(client, operation.url)
        assert operation.summary in words
        assert f"curl -X {operation.method} " in words, operation.name
        assert "validation" in words
        assert (operation.scope or "session of the admin") in words
        for code in operation.described["responses"]:
            if code[0] == "2":
                assert f"{code} " in words, operation.name


def test_the_page_of_a_booking_shows_what_is_sent_and_what_comes_back(client: Client) -> None:
    words = words_of(client, f"{INDEX}book_shipment/")
    for shown in (
        "Idempotency-Key: order-1001", '"order_number": "A-1001"', "consignee.phone",
        "items[].gst_rate", "required", '"status": "booked"', "Retry-After: 30", "order-live",
        "rto_delivered",
    ):  # fmt: skip
        assert shown in words, shown


def test_every_problem_has_a_page_with_its_cause_remedy_and_example(client: Client) -> None:
    assert set(CAUSES) == set(REMEDIES) == set(KINDS)
    for name, kind in KINDS.items():
        words = words_of(client, f"/problems/{name}")
        assert CAUSES[name] in words
        assert REMEDIES[name][1:] in words
        if name != "error":
            assert f"HTTP/1.1 {kind.status}" in words, name
            assert f'"type": "/problems/{name}"' in words
            assert "curl -X" in words


def test_every_link_of_the_pages_resolves(client: Client) -> None:
    pages = links_of(client, INDEX) | {INDEX}
    links = {link for page in pages if "/v1/" not in page for link in links_of(client, page)}
    assert len(links) > 80
    for link in links - pages - {one for one in links if one.startswith("/static/")}:
        assert client.get(link).status_code == 200, link


@pytest.mark.parametrize("path", ["reference/no_such_operation/", "reference/no_such_operation"])
def test_an_unknown_operation_is_not_found(client: Client, path: str) -> None:
    assert client.get(f"/api/{path}").status_code == 404


def test_a_page_is_read_and_nothing_else(client: Client) -> None:
    assert client.post(INDEX).status_code == 405
    answer = client.head(f"{INDEX}book_shipment")
    assert (answer.status_code, answer.content) == (200, b"")
    assert "script-src" not in answer["Content-Security-Policy"]
    assert answer["Content-Security-Policy"].startswith("default-src 'none'")


def test_the_command_of_a_request_is_one_that_a_shell_reads() -> None:
    command = shlex.split(curl_of(of_operation("book_shipment")[0]))
    assert command[:3] == ["curl", "-X", "POST"]
    assert command[3].endswith("/api/v1/shipments/")
    assert '"cod_amount": "1523.00"' in command[-1]


def test_the_rows_of_a_body_name_each_field_by_its_path() -> None:
    schema = openapi_schema()
    draft = schema["components"]["schemas"]["ShipmentDraft"]
    rows: dict[str, Any] = {row.path: row for row in field_rows(schema, draft)}
    assert rows["consignee.phone"].is_required
    assert rows["consignee.phone"].kind == "text, up to 60"
    assert rows["items"].kind == "list of objects, up to 100"
    assert rows["items[].value"].kind == "text or number"
    assert rows["payment_mode"].words == ("prepaid", "cod")
    assert rows["invoice_date"].kind == "day or null"
