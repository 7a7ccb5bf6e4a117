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


@cache
def _read(path: Path) -> dict[str, Any]:
    whole: dict[str, Any] = _mended(yaml.safe_load(path.read_text()))
    shipment = whole["components"]["schemas"]["shipment"]
    shipment["required"] = [name for name in shipment["required"] if name not in OPTIONAL]
    # A registered alias stands for the whole address.
    alias = {"type": "object", "required": ["name"], "maxProperties": 1}
    for name in ("pickup_location", "return_location"):
        shipment["properties"][name] = {
            "anyOf": [alias, {"$ref": "#/components/schemas/locationV1"}]
        }
    return whole


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
