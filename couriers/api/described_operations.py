"""The operations of the API as pages for people show them."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from couriers.api.documentation import openapi_schema
from couriers.api.recordings import Exchange
from couriers.api.schema_layout import operations_of
from couriers.conf import tunables
from couriers.models.addresses import NoAddress, path_of


class Operation(NamedTuple):
    """An operation with its place in the API, as the schema describes it."""

    method: str
    path: str
    described: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.described["operationId"])

    @property
    def group(self) -> str:
        return str(self.described["tags"][0])

    @property
    def summary(self) -> str:
        return str(self.described["summary"])

    @property
    def url(self) -> str:
        """The path of the operation's page."""
        return path_of("couriers_api:operation", self.name)

    @property
    def scope(self) -> str:
        """The scope that a key needs, "" for an operation for staff."""
        ways = self.described["security"][0]
        return str(ways["Bearer"][0]) if "Bearer" in ways else ""


def page_links() -> dict[str, str]:
    """The paths of the API's pages by their names. Empty where the project has no API."""
    try:
        return {name: path_of(f"couriers_api:{name}") for name in ("reference", "docs", "schema")}
    except NoAddress:
        return {}


def operations_in(schema: dict[str, Any]) -> list[Operation]:
    """All operations in the order of the document."""
    found = []
    for place, described in operations_of(schema):
        method, _, path = place.partition(" ")
        found.append(Operation(method, path, described))
    return found


def operations_with(problem: str) -> list[Operation]:
    """The operations that may answer with the problem. None where the project has no API."""
    if not page_links():
        return []
    return [
        operation
        for operation in operations_in(openapi_schema())
        if problem in problems_of(operation.described)
    ]


def curl_of(exchange: Exchange) -> str:
    """The exchange's request as a command for a shell."""
    site = tunables().BASE_URL.rstrip("/")
    lines = [f"curl -X {exchange.method} '{site}{exchange.path}'"]
    is_for_staff = "/ops/" in exchange.path
    sent = {} if is_for_staff else {"Authorization": "Bearer YOUR_KEY"}
    sent |= exchange.headers
    if exchange.body is not None:
        sent["Content-Type"] = "application/json"
    lines += [f"  -H '{name}: {value}'" for name, value in sent.items()]
    if exchange.body is not None:
        lines.append(f"  -d '{pretty(exchange.body)}'")
    return " \\\n".join(lines)


def with_code(text: str) -> SafeString:
    """Paragraphs of text as HTML, in which what stands between backticks is code."""
    return format_html_join("", "<p>{}</p>", ((_marked(p),) for p in text.split("\n\n") if p))


def _marked(paragraph: str) -> SafeString:
    parts = enumerate(paragraph.split("`"))
    return format_html_join(
        "", "{}", ((format_html("<code>{}</code>", p) if n % 2 else p,) for n, p in parts)
    )


def pretty(value: Any) -> str:
    """JSON for readers."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def problems_of(described: dict[str, Any]) -> dict[str, int]:
    """The problems that an operation may answer, with their statuses, by status and name."""
    found = {}
    for code, response in described["responses"].items():
        for content in response.get("content", {}).values() if code[0] != "2" else ():
            for of_type in content["schema"]["properties"]["type"]["enum"]:
                found[str(of_type).rpartition("/")[2]] = int(code)
    return dict(sorted(found.items(), key=lambda entry: (entry[1], entry[0])))
