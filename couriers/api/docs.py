"""The API's documentation as one page, made from the schema; it needs no other server."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from drf_spectacular.generators import SchemaGenerator


def api_docs(request: HttpRequest) -> HttpResponse:
    """GET /api/docs/: operations, fields and a curl line each."""
    return render(request, "couriers/api_docs.html", _page())


@lru_cache(maxsize=1)
def _page() -> dict[str, Any]:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    components = schema["components"]["schemas"]
    operations = [
        _operation(path, method, operation, components)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]
    return {"info": schema["info"], "operations": operations}


def _operation(
    path: str, method: str, operation: dict[str, Any], components: dict[str, Any]
) -> dict[str, Any]:
    body: dict[str, Any] = next(
        iter(operation.get("requestBody", {}).get("content", {}).values()), {}
    )
    return {
        "method": method.upper(),
        "path": path,
        "description": operation.get("description", ""),
        "parameters": operation.get("parameters", []),
        "fields": list(_fields(body.get("schema", {}), components)),
        "answers": [
            {"status": status, "schema": _name(answer)}
            for status, answer in operation["responses"].items()
        ],
    }


def _fields(schema: dict[str, Any], components: dict[str, Any], path: str = "") -> Any:
    schema = _resolved(schema, components)
    if schema.get("type") == "array":
        yield from _fields(schema["items"], components, f"{path}[]")
        return
    for name, part in schema.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        inner = _resolved(part, components)
        yield {
            "name": here,
            "required": name in schema.get("required", []),
            "type": " ".join(filter(None, [str(inner.get("type", "")), inner.get("format", "")])),
            "values": inner.get("enum", []),
            "description": part.get("description", ""),
        }
        if "properties" in inner or inner.get("type") == "array":
            yield from _fields(inner, components, here)


def _resolved(schema: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    for part in (schema, *schema.get("allOf", []), *schema.get("oneOf", [])):
        if "$ref" in part:
            return dict(components[part["$ref"].rsplit("/", 1)[1]])
    return schema


def _name(answer: dict[str, Any]) -> str:
    content: dict[str, Any] = next(iter(answer.get("content", {}).values()), {})
    schema = content.get("schema", {})
    many = schema.get("type") == "array"
    ref = (schema.get("items", {}) if many else schema).get("$ref", "")
    name = str(ref.rsplit("/", 1)[-1])
    return f"list of {name}" if many and name else name
