"""What changed in the API's schema, and whether a client that works today would break.

breakwatch compares and judges. It looks into objects alone, so the parts of lists, and what may be
null, are described to it as objects.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from breakwatch.classifier import Severity, classify
from breakwatch.diff import diff_specs

from couriers.api.schema_layout import operations_of

SNAPSHOT = Path(__file__).resolve().parents[2] / "docs" / "api-schema.json"
PART = "[]"  # the name of a list's part
# What says nothing about the form of a request or an answer.
_WORDS = ("examples", "description", "summary", "tags", "headers")


def unsafe_changes(old: dict[str, Any], new: dict[str, Any]) -> set[str]:
    """The changes that may break a client, each as `GET /path/: field`, or the path alone."""
    found = classify(diff_specs(*(_plain(without_words(schema)) for schema in (old, new))))
    return {_name(change) for change in found if change.severity != Severity.SAFE}


def without_words(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without examples and descriptions, as the snapshot has it.

    Problems have no form of their own: which of them an operation may answer is no promise.
    """
    stripped: dict[str, Any] = _stripped(schema)
    for _, operation in operations_of(stripped):
        for code, response in operation["responses"].items():
            if code[0] != "2":
                response.pop("content", None)
    return stripped


def read_snapshot() -> dict[str, Any]:
    """The schema of the last release."""
    snapshot: dict[str, Any] = json.loads(SNAPSHOT.read_text())
    return snapshot


def _name(found: Any) -> str:
    change = found.change
    return f"{change.path}: {change.field}" if change.field else str(change.path)


def _stripped(value: Any, *, named: bool = False) -> Any:
    """The value without the members of _WORDS, but where the members are names of fields."""
    if isinstance(value, list):
        return [_stripped(part) for part in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _stripped(part, named=name in ("properties", "schemas"))
        for name, part in value.items()
        if named or name not in _WORDS
    }


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with every reference resolved, and every list and choice as an object."""
    schemas = schema["components"]["schemas"]

    def resolved(node: Any, inside: tuple[str, ...] = ()) -> Any:
        if isinstance(node, list):
            return [resolved(part, inside) for part in node]
        if not isinstance(node, dict):
            return node
        name = str(node.get("$ref", "")).rpartition("/")[2]
        if name in inside or name == "Problem":
            return {"type": name}
        if name in schemas:
            rest = {key: part for key, part in node.items() if key != "$ref"}
            return resolved({**schemas[name], **rest}, (*inside, name))
        return _as_object({key: resolved(part, inside) for key, part in node.items()})

    return {**schema, "paths": resolved(schema["paths"])}


def _as_object(node: dict[str, Any]) -> dict[str, Any]:
    choices = [part for part in node.get("oneOf", ()) if part.get("type") != "null"]
    if len(choices) == 1:
        return {**choices[0], "nullable": len(node["oneOf"]) > 1}
    if node.get("type") == "array":
        return {"type": "object", "properties": {PART: node["items"]}, "required": [PART]}
    kinds = node.get("type")
    if isinstance(kinds, list) and "null" in kinds:
        rest = [kind for kind in kinds if kind != "null"]
        return {**node, "type": rest[0] if len(rest) == 1 else str(rest), "nullable": True}
    return node
