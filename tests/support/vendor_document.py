"""The vendor's OpenAPI document, corrected in memory. Tests are skipped where it is missing."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
# The schema lists these as required, but in practice they are optional.
OPTIONAL = {
    "return_reason", "return_location", "consignee_gst_amount", "consignee_alternate_phone",
}  # fmt: skip
SIZES = {"length", "width", "height"}
# The schema of each operation's request body.
REQUESTS = {"create_shipment": "shipment", "add_address": "location", "estimate": "estimateRequest"}


def document() -> dict[str, Any]:
    """Return the document. Skips the test where the file is missing."""
    if not is_there():
        pytest.skip(f"the vendor's document is missing ({_path().name}); set EKART_OPENAPI_SPEC")
    return _read(_path())


def is_there() -> bool:
    """Whether the file exists."""
    return _path().is_file()


def validator(schema: str) -> jsonschema.Draft202012Validator:
    """Return a validator of one of the corrected document's schemas."""
    return jsonschema.Draft202012Validator({**document(), "$ref": f"#/components/schemas/{schema}"})


def operations() -> set[tuple[str, str]]:
    """Return the method and path of every operation of the document."""
    methods = {"get", "put", "post", "delete"}
    return {
        (method.upper(), path)
        for path, item in document()["paths"].items()
        for method in item
        if method in methods
    }


def request_validator(method: str, path: str) -> jsonschema.Draft202012Validator | None:
    """Return a validator of an operation's JSON body, or None if it has no body."""
    whole = document()
    body = whole["paths"][path][method.lower()].get("requestBody")
    if body is None:
        return None
    return jsonschema.Draft202012Validator(
        {**whole, **body["content"]["application/json"]["schema"]}
    )


def response_validator(method: str, path: str, status: int) -> jsonschema.Draft202012Validator:
    """Return a validator of an operation's JSON answer.

    All errors have one format, even where the document lists no errors.
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
    # The document's text says: either a template's name, or the sizes.
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
    """Make the waybill the key of a history. The schemas have a field named "wbn" instead.

    In the schema for non-large goods every field is optional, so it would accept the other too.
    """
    for size in ("non_large", "large"):
        history = schemas[f"{size}_track_response"]
        history["additionalProperties"] = history.pop("properties")["wbn"]
        history["minProperties"] = 1
    schemas["non_large_track_obj"]["not"] = {"required": ["is_mps"]}


def _mended(part: Any) -> Any:
    """Return a part of the document with OpenAPI 3.0 keywords as JSON Schema 2020-12."""
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


def _path() -> Path:
    default = ROOT.parent / "shared" / "ekart" / "Ekart_API.yaml"
    return Path(os.environ.get("EKART_OPENAPI_SPEC", default))
