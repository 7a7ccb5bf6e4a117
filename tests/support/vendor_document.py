"""The vendor's OpenAPI document, mended in memory, for tests that run where it is."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
# Optional in practice, though the schema lists them as required.
OPTIONAL = {
    "return_reason", "return_location", "consignee_gst_amount", "consignee_alternate_phone",
}  # fmt: skip
SIZES = {"length", "width", "height"}
# The schema that each operation's request body must fulfil.
REQUESTS = {"create_shipment": "shipment", "add_address": "location", "estimate": "estimateRequest"}


def document() -> dict[str, Any]:
    """The document; skips the test, saying so, where it is not to be had."""
    path = Path(
        os.environ.get("EKART_OPENAPI_SPEC", ROOT.parent / "shared" / "ekart" / "Ekart_API.yaml")
    )
    if not path.is_file():
        pytest.skip(f"the vendor's document is not here ({path.name}); set EKART_OPENAPI_SPEC")
    return _read(path)


def validator(schema: str) -> jsonschema.Draft202012Validator:
    """A validator of one of the document's schemas, with the allowances that practice makes."""
    return jsonschema.Draft202012Validator({**document(), "$ref": f"#/components/schemas/{schema}"})


def operations() -> set[tuple[str, str]]:
    """Method and path of every operation of the document."""
    methods = {"get", "put", "post", "delete"}
    return {
        (method.upper(), path)
        for path, item in document()["paths"].items()
        for method in item
        if method in methods
    }


def request_validator(method: str, path: str) -> jsonschema.Draft202012Validator | None:
    """A validator of an operation's JSON body, or None where it has none."""
    whole = document()
    body = whole["paths"][path][method.lower()].get("requestBody")
    if body is None:
        return None
    return jsonschema.Draft202012Validator(
        {**whole, **body["content"]["application/json"]["schema"]}
    )


def response_validator(method: str, path: str, status: int) -> jsonschema.Draft202012Validator:
    """A validator of an operation's JSON answer.

    Errors have one shape, also those of the two operations for which the document lists none.
    """
    if status != 200:
        return validator("error")
    whole = document()
    answer = whole["paths"][path][method.lower()]["responses"]["200"]
    return jsonschema.Draft202012Validator(
        {**whole, **answer["content"]["application/json"]["schema"]}
    )


@cache
def _read(path: Path) -> dict[str, Any]:
    whole: dict[str, Any] = _mended(yaml.safe_load(path.read_text()))
    shipment = whole["components"]["schemas"]["shipment"]
    shipment["required"] = [name for name in shipment["required"] if name not in OPTIONAL | SIZES]
    # The prose: either a template's name, or the sizes.
    shipment["oneOf"] = [{"required": ["templateName"]}, {"required": sorted(SIZES)}]
    # A registered alias stands for the whole address.
    alias = {"type": "object", "required": ["name"], "maxProperties": 1}
    for name in ("pickup_location", "return_location"):
        shipment["properties"][name] = {
            "anyOf": [alias, {"$ref": "#/components/schemas/locationV1"}]
        }
    _mend_raw_tracking(whole["components"]["schemas"])
    return whole


def _mend_raw_tracking(schemas: dict[str, Any]) -> None:
    """The histories are keyed by a waybill, where the schemas have a field with the name "wbn".

    Every field of the one for non-large goods is optional, so it would take the other one too.
    """
    for size in ("non_large", "large"):
        history = schemas[f"{size}_track_response"]
        history["additionalProperties"] = history.pop("properties")["wbn"]
        history["minProperties"] = 1
    schemas["non_large_track_obj"]["not"] = {"required": ["is_mps"]}


def _mended(part: Any) -> Any:
    """The document's leftovers of OpenAPI 3.0 as JSON Schema 2020-12."""
    if isinstance(part, list):
        return [_mended(p) for p in part if p is not None]
    if not isinstance(part, dict):
        return part
    part = {key: _mended(value) for key, value in part.items()}
    if part.pop("nullable", False) is True and isinstance(part.get("type"), str):
        part["type"] = [part["type"], "null"]
    if part.get("exclusiveMinimum") is True:
        part["exclusiveMinimum"] = part.pop("minimum")
    return part
