"""docs/api.md lists the same endpoints and problems as the code. The schema and pages are valid."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.validation import validate_schema

from couriers.api import documentation, problem_types
from couriers.api.documentation import openapi_schema
from couriers.api.problem_page import REMEDIES
from couriers.fulfilment.rules import PROBLEMS
from tests.support.factories import ShipmentFactory, make_api_key

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "api.md").read_text()
# The position of the argument that names a problem, by the function or exception that takes it.
NAMERS = {"problem": 0, "ActionNotAllowed": 0, "_not_allowed": 1, "_check_undelivered": 1}


def problems_in_the_code() -> set[str]:
    tables = (*problem_types.COURIER_PROBLEMS.values(), *problem_types.PLATFORM_PROBLEMS.values())
    tables += (problem_types.NOT_FOUND, problem_types.MALFORMED, problem_types.INTERNAL)
    names = {name for name, _ in problem_types.FRAMEWORK_PROBLEMS.values()}
    names |= {entry.name for entry in tables}
    names |= {name for name, _ in PROBLEMS.values()}
    for path in sorted((ROOT / "couriers").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if called == "problem" and path.parent.name != "api":
                continue  # another function of that name, which takes a sentence
            place = NAMERS.get(called)
            if place is None or len(node.args) <= place:
                continue
            for part in ast.walk(node.args[place]):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    names.add(part.value)
    return names


def endpoints_in_the_code() -> set[str]:
    return {
        f"{method.upper()} {path}"
        for path, methods in openapi_schema()["paths"].items()
        for method in methods
        if path.startswith("/api/v1/")
    }


def test_the_page_lists_every_endpoint_and_no_other() -> None:
    documented = re.findall(r"^\| `([A-Z]+ /api/v1/[^`]+)` \|", PAGE, re.MULTILINE)
    assert len(documented) == len(set(documented))
    assert set(documented) == endpoints_in_the_code()


def test_the_page_lists_every_problem_and_no_other() -> None:
    documented = re.findall(r"^\| `/problems/([a-z-]+)` \|", PAGE, re.MULTILINE)
    assert len(documented) == len(set(documented))
    assert "order-live" in problems_in_the_code()
    assert set(documented) == problems_in_the_code() == set(REMEDIES)


def test_the_schema_is_valid_without_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    documentation._schema.cache_clear()
    GENERATOR_STATS.reset()
    schema = openapi_schema()
    assert schema["openapi"] == "3.1.0"
    assert schema["servers"] == [{"url": "http://127.0.0.1:8000"}]
    validate_schema(schema)
    assert not GENERATOR_STATS, capsys.readouterr().err


def test_fifty_shipments_are_listed_in_at_most_three_statements(
    company: Any, account: Any, django_assert_max_num_queries: Any
) -> None:
    client = Client(headers={"Authorization": f"Api-Key {make_api_key(company)}"})
    warehouse = company.warehouses.get()
    for _ in range(51):
        ShipmentFactory(account=account, warehouse=warehouse)
    with django_assert_max_num_queries(3):
        page = client.get("/api/v1/shipments/?page_size=50").json()
    assert len(page["results"]) == 50
    assert page["next"]


@pytest.mark.parametrize("path", ["shipments", "manifests"])
@pytest.mark.parametrize(
    "query",
    [
        "cursor=x",
        "cursor=shp_" + "x" * 40,
        "page_size=0",
        "page_size=201",
        "page_size=000000200999",
        "page_size=1" + "9" * 5000,
        "page_size=²",
        "cursor=shp_%00",
    ],
)
def test_an_invalid_cursor_or_page_size_is_refused(
    storefront: Client, path: str, query: str
) -> None:
    answer = storefront.get(f"/api/v1/{path}/?{query}")
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/validation")
