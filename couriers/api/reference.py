"""The reference: pages for people, made from the OpenAPI schema, that need no script.

One page lists the operations, and each operation has one with its fields, examples and problems.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from couriers.api.described_operations import (
    curl_of,
    operations_in,
    page_links,
    pretty,
    problems_of,
    with_code,
)
from couriers.api.documentation import openapi_schema
from couriers.api.field_rows import field_rows, kind_of
from couriers.api.operation_names import STAFF
from couriers.api.problem_page import REMEDIES
from couriers.api.problem_schema import KINDS
from couriers.api.problems import type_of
from couriers.api.recordings import Exchange, media_type_of, of_operation
from couriers.contract.content_policy import reference_page, with_policy

MAX_EXAMPLES = 3  # of one status on one page


@transaction.non_atomic_requests
@login_not_required
@with_policy(reference_page)
@require_safe
def reference_index(request: HttpRequest) -> HttpResponse:
    """GET /api/reference/: all operations by their groups, those for staff apart."""
    schema = openapi_schema()
    descriptions = {tag["name"]: tag["description"] for tag in schema["tags"]}
    groups = [
        {"name": name, "description": descriptions[name], "operations": list(operations)}
        for name, operations in groupby(operations_in(schema), key=lambda o: o.group)
    ]
    context = {
        "groups": [group for group in groups if group["name"] != STAFF],
        "staff": [group for group in groups if group["name"] == STAFF],
        "problems": _problem_rows({name: kind.status for name, kind in KINDS.items()}),
        "links": page_links(),
    }
    return render(request, "couriers/reference_index.html", context)


@transaction.non_atomic_requests
@login_not_required
@with_policy(reference_page)
@require_safe
def operation_page(request: HttpRequest, name: str) -> HttpResponse:
    """GET /api/reference/{operation}/: one operation."""
    schema = openapi_schema()
    operation = next((one for one in operations_in(schema) if one.name == name), None)
    if operation is None:
        raise Http404
    exchanges = of_operation(name)
    described = operation.described
    context = {
        "operation": operation,
        "description": with_code(described.get("description", "")),
        "parameters": [_parameter(schema, one) for one in described.get("parameters", ())],
        "body": list(_body_rows(schema, described.get("requestBody"))),
        "request": curl_of(exchanges[0]) if exchanges else "",
        "answers": [
            _answer(schema, code, response, exchanges)
            for code, response in described["responses"].items()
            if code[0] == "2"
        ],
        "problems": _problem_rows(problems_of(described)),
        "links": page_links(),
    }
    return render(request, "couriers/reference_operation.html", context)


def _problem_rows(statuses: Mapping[str, int | None]) -> list[dict[str, Any]]:
    return [
        {"name": name, "url": type_of(name), "status": status or "", "remedy": REMEDIES[name]}
        for name, status in statuses.items()
    ]


def _parameter(schema: dict[str, Any], parameter: dict[str, Any]) -> dict[str, Any]:
    described = parameter["schema"]
    words = described.get("enum") or described.get("items", {}).get("enum", ())
    return {
        "path": parameter["name"],
        "place": {"path": "path", "query": "query", "header": "header"}[parameter["in"]],
        "kind": kind_of(schema, described),
        "is_required": parameter.get("required", False),
        "words": words,
        "description": parameter.get("description", ""),
    }


def _body_rows(schema: dict[str, Any], body: dict[str, Any] | None) -> Any:
    content = (body or {}).get("content", {}).get("application/json")
    return field_rows(schema, content["schema"]) if content else ()


def _answer(
    schema: dict[str, Any], code: str, response: dict[str, Any], exchanges: tuple[Exchange, ...]
) -> dict[str, Any]:
    content = response.get("content", {})
    shown = [e for e in exchanges if str(e.status) == code and e.answer is not None]
    files = [e for e in exchanges if str(e.status) == code and e.answer is None]
    return {
        "code": code,
        "description": response["description"],
        "media_types": list(content),
        "rows": list(_body_rows(schema, response)),
        "examples": [(e.title, pretty(e.answer), _headers(e)) for e in shown[:MAX_EXAMPLES]],
        "file": media_type_of(files[0]) if files else "",
    }


def _headers(exchange: Exchange) -> list[tuple[str, str]]:
    return [(n, value) for n, value in exchange.answer_headers.items() if n != "Content-Type"]
