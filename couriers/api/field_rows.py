"""The fields of a body as rows of a table, made from the OpenAPI schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

MAX_DEPTH = 4
_SCHEMAS = "#/components/schemas/"


class FieldRow(NamedTuple):
    """A field by its path, as in `items[].value`, and what may be in it."""

    path: str
    kind: str
    is_required: bool
    words: tuple[str, ...]
    description: str


def field_rows(
    schema: dict[str, Any], node: dict[str, Any], prefix: str = "", depth: int = 0
) -> Iterator[FieldRow]:
    """The fields of a JSON schema inside an OpenAPI document, those of its objects as well."""
    node = resolve(schema, node)
    if node.get("type") == "array":
        yield from field_rows(schema, node["items"], f"{prefix}[]", depth)
        return
    if depth > MAX_DEPTH:
        return
    required = set(node.get("required", ()))
    for name, part in node.get("properties", {}).items():
        path = f"{prefix}.{name}" if prefix else name
        inner = resolve(schema, part)
        item = resolve(schema, inner["items"]) if inner.get("type") == "array" else inner
        yield FieldRow(
            path,
            kind_of(schema, part),
            name in required,
            tuple(str(word) for word in item.get("enum", ()) if word not in ("", None)),
            str(part.get("description", "")),
        )
        yield from field_rows(schema, part, path, depth + 1)


def resolve(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """The node that a reference, or a choice with null, stands for."""
    for _ in range(MAX_DEPTH):
        choices = [c for c in node.get("oneOf", ()) if c.get("type") != "null"]
        if "$ref" in node:
            node = schema["components"]["schemas"][node["$ref"].removeprefix(_SCHEMAS)]
        elif choices:
            node = choices[0]
        else:
            break
    return node


def kind_of(schema: dict[str, Any], node: dict[str, Any]) -> str:
    """What may be in a field, in words: `text, up to 200`, `list of objects`, `day or null`."""
    inner = resolve(schema, node)
    declared = inner.get("type", "object")
    kinds = [declared] if isinstance(declared, str) else list(declared)
    is_nullable = "null" in kinds or any(c.get("type") == "null" for c in node.get("oneOf", ()))
    kind = " or ".join(_word(schema, inner, one) for one in kinds if one != "null")
    bounds = [f"up to {inner['maxLength']}"] if "maxLength" in inner else []
    if "minimum" in inner and "maximum" in inner:
        bounds.append(f"{inner['minimum']} to {inner['maximum']}")
    return ", ".join([kind, *bounds]) + (" or null" if is_nullable else "")


def _word(schema: dict[str, Any], node: dict[str, Any], kind: str) -> str:
    if kind == "array":
        part = kind_of(schema, node["items"]).partition(",")[0].replace("object", "objects")
        most = f", up to {node['maxItems']}" if "maxItems" in node else ""
        return f"list of {part}{most}"
    formats = {"date": "day", "date-time": "time", "uri": "URL", "uri-reference": "URL"}
    if kind == "string":
        return formats.get(str(node.get("format")), "text")
    return {"boolean": "true or false"}.get(kind, kind)
