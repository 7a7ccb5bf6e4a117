"""The layout of the OpenAPI document: its groups in order, and what is written once for all.

A reader finds booking first and the operations for staff last. Headers that many answers have are
components, which keeps the document at half of its size.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from couriers.api.operation_names import GROUPS

# Within a path, what is done first comes first.
_METHODS = ("post", "get", "put", "patch", "delete")
_USED_OFTEN = 10  # answers that have the header


def lay_out(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular's postprocessing hook: order the operations, and share their headers."""
    result["paths"] = dict(sorted(result["paths"].items(), key=_place))
    for path, operations in result["paths"].items():
        ordered = sorted(operations.items(), key=lambda entry: _METHODS.index(entry[0]))
        result["paths"][path] = dict(ordered)
    used = {tag for _, operation in operations_of(result) for tag in operation["tags"]}
    result["tags"] = [
        {"name": group.name, "description": group.description}
        for group in GROUPS
        if group.name in used
    ]
    _share_headers(result)
    return result


def operations_of(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each operation of a schema, with its method and path as in `GET /api/v1/shipments/`."""
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            yield f"{method.upper()} {path}", operation


def _place(entry: tuple[str, dict[str, Any]]) -> tuple[int, str]:
    path, operations = entry
    names = [group.name for group in GROUPS]
    return min(names.index(operation["tags"][0]) for operation in operations.values()), path


def _share_headers(result: dict[str, Any]) -> None:
    """Move headers that are written often to the components, by their names."""
    all_headers = [
        response["headers"]
        for _, operation in operations_of(result)
        for response in operation["responses"].values()
        if "headers" in response
    ]
    counts = Counter(
        (name, json.dumps(header, sort_keys=True))
        for headers in all_headers
        for name, header in headers.items()
    )
    shared = {name: text for (name, text), count in counts.items() if count >= _USED_OFTEN}
    result["components"]["headers"] = {
        name: json.loads(text) for name, text in sorted(shared.items())
    }
    for headers in all_headers:
        for name, header in headers.items():
            if json.dumps(header, sort_keys=True) == shared.get(name):
                headers[name] = {"$ref": f"#/components/headers/{name}"}
