"""A change of the API that may break a client is in the changelog, or a test fails.

docs/api-schema.json is the schema of the last release, at which RECORD_SCHEMA=1 writes it anew.
"""

from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from couriers.api.documentation import openapi_schema
from tests.support.api_changes import SNAPSHOT, read_snapshot, unsafe_changes, without_words

CHANGELOG = Path(__file__).resolve().parents[2] / "docs" / "api-changelog.md"
SHIPMENT = "GET /api/v1/shipments/{id}/"


def announced() -> set[str]:
    """What the changelog names as changed since the last release, in code."""
    text = CHANGELOG.read_text()
    unreleased = text[text.index("## Unreleased") :].split("\n## ")[0]
    return set(re.findall(r"^- `([A-Z]+ [^`]+)`", unreleased, re.MULTILINE))


def test_what_may_break_a_client_is_in_the_changelog() -> None:
    if os.environ.get("RECORD_SCHEMA"):
        SNAPSHOT.write_text(json.dumps(without_words(openapi_schema()), indent=1) + "\n")
    changes = unsafe_changes(read_snapshot(), openapi_schema())
    assert changes - announced() == set(), "docs/api-changelog.md lacks these under Unreleased"


def test_the_changelog_names_no_change_that_is_none() -> None:
    assert announced() <= unsafe_changes(read_snapshot(), openapi_schema())


def of_component(name: str, change: Callable[[Any], None]) -> set[str]:
    """What is found where a component of the schema is changed."""
    new = copy.deepcopy(openapi_schema())
    change(new["components"]["schemas"][name])
    return unsafe_changes(openapi_schema(), new)


@pytest.mark.parametrize(
    ("component", "change", "found"),
    [
        ("ShipmentDetail", lambda s: s["properties"].pop("waybill"), f"{SHIPMENT}: waybill"),
        (
            "ShipmentRow",
            lambda s: s["properties"].pop("waybill"),
            "GET /api/v1/shipments/: results.[].waybill",
        ),
        (
            "ShipmentDetail",
            lambda s: s["properties"]["waybill"].update(type="integer"),
            f"{SHIPMENT}: waybill",
        ),
        ("Charges", lambda s: s["properties"].pop("gst"), f"{SHIPMENT}: charges.gst"),
        (
            "Item",
            lambda s: s["required"].append("sku"),
            "POST /api/v1/shipments/: items.[].sku",
        ),
        (
            "Consignee",
            lambda s: s["properties"].pop("city"),
            "POST /api/v1/shipments/: consignee.city",
        ),
        (
            "StatusEnum",
            lambda s: s["enum"].remove("lost"),
            f"{SHIPMENT}: status",
        ),
    ],
)
def test_a_change_that_breaks_clients_is_found(component: str, change: Any, found: str) -> None:
    assert found in of_component(component, change)


def test_an_operation_a_parameter_or_an_answer_that_is_gone_is_found() -> None:
    new = copy.deepcopy(openapi_schema())
    paths = new["paths"]
    del paths["/api/v1/products/"]
    del paths["/api/v1/shipments/"]["get"]["parameters"][0]
    del paths["/api/v1/shipments/"]["post"]["responses"]["202"]
    paths["/api/v1/rates/"]["post"]["security"] = [{"Bearer": ["operate"]}]
    found = unsafe_changes(openapi_schema(), new)
    assert {
        "GET /api/v1/products/", "POST /api/v1/products/", "POST /api/v1/shipments/: 202",
        "POST /api/v1/rates/",
    } <= found  # fmt: skip
    assert any(name.startswith("GET /api/v1/shipments/: ") for name in found)


def test_what_breaks_no_client_is_not_found() -> None:
    new = copy.deepcopy(openapi_schema())
    schemas = new["components"]["schemas"]
    schemas["Shipment"]["properties"]["colour"] = {"type": "string"}
    schemas["Shipment"]["required"].append("colour")
    schemas["ShipmentDraft"]["properties"]["colour"] = {"type": "string"}
    new["paths"]["/api/v1/colours/"] = {"get": new["paths"]["/api/v1/shipments/"]["get"]}
    new["paths"]["/api/v1/shipments/"]["post"]["summary"] = "Book it"
    assert unsafe_changes(openapi_schema(), new) == set()
    assert unsafe_changes(without_words(openapi_schema()), openapi_schema()) == set()
