"""How operations and bodies are described in the OpenAPI schema.

A view says what it answers with success, and which problems are its own. What every operation has
follows here: its name, how to authenticate, the problems of the platform, and the headers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import is_list_serializer
from drf_spectacular.utils import Direction, OpenApiParameter
from rest_framework import serializers
from rest_framework.permissions import AllowAny

from couriers.api import problem_schema
from couriers.api.operation_names import group_of, operation_name
from couriers.api.permissions import IsCompany
from couriers.api.serializers import ProblemFieldSerializer
from couriers.api.strictness import READING, required_scope
from couriers.api.throttling import HEADERS
from couriers.contract.request_ids import HEADER

SECURITY_SCHEMES: dict[str, dict[str, str]] = {
    "Bearer": {"type": "http", "scheme": "bearer", "description": "`Authorization: Bearer <key>`"},
    "ApiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`Authorization: Api-Key <key>`, the same key in another way.",
    },
    "Session": {"type": "apiKey", "in": "cookie", "description": "A session of the admin."},
    "CsrfToken": {
        "type": "apiKey",
        "in": "header",
        "description": "The token of the session's CSRF cookie.",
    },
}
_TEXT = {"type": "string"}
_SECONDS = {"type": "integer", "minimum": 1}
_COUNT = {"type": "integer", "minimum": 0}
_DECIMALS = 2
_SCHEMAS = "#/components/schemas/"

# The problems that any operation may answer.
EVERYWHERE = (
    "validation", "malformed", "not-acceptable", "internal", "unreadable",
    "database-unavailable",
)  # fmt: skip


class ApiSchema(AutoSchema):
    """Describes the operations of the API's views."""

    def get_operation_id(self) -> str:
        """The name of the operation, from which generated clients name their functions."""
        return operation_name(
            self._path_of_the_version(),
            self.method,
            answers_a_list=self._answers_a_list(),
            creates="201" in self._success_serializers(),
        )

    def get_tags(self) -> list[str]:
        """The group of the operation. Raises ValueError where no group has its path."""
        return [group_of(self._path_of_the_version())]

    def get_summary(self) -> str:
        """The first sentence of the docstring, as a title."""
        return _sentences(super().get_description())[0].replace("`", "").removesuffix(".")

    def get_description(self) -> str:  # type: ignore[override]  # as in AutoSchema
        """What the docstring says after its first sentence."""
        return _sentences(super().get_description())[1]

    def _path_of_the_version(self) -> str:
        """The path below `/v1/`, as in `shipments/{id}/`."""
        return re.sub(self.path_prefix, "", self.path, count=1).lstrip("/")

    def _answers_a_list(self) -> bool:
        """Whether the answer is an array, or a page with `results`."""
        answer = next(iter(self._success_serializers().values()), None)
        fields = getattr(answer, "_declared_fields", {})
        return is_list_serializer(answer) or "results" in fields

    def _success_serializers(self) -> dict[str, Any]:
        declared: Any = self.get_response_serializers()
        if not isinstance(declared, Mapping):
            return {"200": declared}
        found: dict[str, Any] = {}
        for key, serializer in declared.items():
            code = str(key[0] if isinstance(key, tuple) else key)
            if code[0] == "2":
                found.setdefault(code, serializer)  # of several media types the first
        return found

    def _is_list_view(self, serializer: Any = None) -> bool:
        """An answer is an array where its serializer has `many=True`, and only there."""
        return bool(is_list_serializer(serializer))

    def _get_format_parameters(self) -> list[dict[str, Any]]:
        """None: a path has one format."""
        return []

    def get_auth(self) -> list[dict[str, list[str]]]:
        """The ways to authenticate, of which one is needed."""
        permissions = self.view.get_permissions()
        if any(isinstance(permission, AllowAny) for permission in permissions):
            return [{}]
        if any(isinstance(permission, IsCompany) for permission in permissions):
            # OpenAPI 3.1 lets other schemes than OAuth name what the caller needs.
            scope = required_scope(self._handler(), self.method).value
            return [{"Bearer": [scope]}, {"ApiKey": [scope]}]
        reads = self.method in READING
        return [{"Session": []}] if reads else [{"Session": [], "CsrfToken": []}]

    def _handler(self) -> Any:
        """The method of the view that carries out the operation."""
        return getattr(self.view, getattr(self.view, "action", None) or self.method.lower())

    def _get_filter_parameters(self) -> list[dict[str, Any]]:
        """The filters of a list, with the longest text that each takes."""
        parameters: list[dict[str, Any]] = super()._get_filter_parameters()
        filters = getattr(getattr(self.view, "filterset_class", None), "base_filters", {})
        for parameter in parameters:
            extra = filters[parameter["name"]].extra if parameter["name"] in filters else {}
            if "max_length" in extra:
                schema = parameter["schema"]
                schema.get("items", schema)["maxLength"] = extra["max_length"]
        return parameters

    def _map_basic_serializer(self, serializer: Any, direction: str) -> dict[str, Any]:
        """An object without other members. In an answer every member is there."""
        schema: dict[str, Any] = super()._map_basic_serializer(serializer, direction)
        schema["additionalProperties"] = False
        if direction == "response" and schema.get("properties"):
            schema["required"] = sorted(schema["properties"])
            for member in schema["properties"].values():
                member.pop("readOnly", None)
        return schema

    def _map_serializer_field(
        self, field: Any, direction: str, bypass_extensions: bool = False
    ) -> Any:
        schema = super()._map_serializer_field(field, direction, bypass_extensions)
        if isinstance(field, serializers.DecimalField) and "pattern" in schema:
            whole = field.max_whole_digits or 0
            if direction == "response":
                schema["pattern"] = rf"^-?\d{{1,{whole}}}\.\d{{{_DECIMALS}}}$"
            else:
                _describe_amount(schema, field, whole)
        return schema

    def _get_response_bodies(self, direction: Direction = "response") -> dict[str, Any]:
        responses: dict[str, Any] = super()._get_response_bodies(direction)
        names = {name for r in responses.values() for name in problem_schema.declared_problems(r)}
        success = {code: r for code, r in responses.items() if code[0] in "23"}
        for code, response in success.items():
            own = response.get("headers", {}) | self._success_headers(code)
            response["headers"] = own | _platform_headers()
            response["description"] = response["description"] or _DESCRIPTIONS.get(code, "")
        self.resolve_serializer(ProblemFieldSerializer, "response")
        found = problem_schema.by_status(names | set(self._platform_problems()))
        return success | {
            str(status): {
                "description": ", ".join(sorted(of_status)),
                "content": problem_schema.problem_content(of_status),
                **_with_headers(_problem_headers(of_status)),
            }
            for status, of_status in sorted(found.items())
        }

    def _platform_problems(self) -> Iterator[str]:
        """The problems that follow from the view's classes and the method."""
        yield from EVERYWHERE
        if not any(isinstance(permission, AllowAny) for permission in self.view.get_permissions()):
            yield "forbidden"
            if self.view.get_authenticate_header(self.view.request):
                yield from ("unauthenticated", "key-expired", "address-not-allowed")
        if any(isinstance(permission, IsCompany) for permission in self.view.get_permissions()):
            yield "scope-missing"
        if "{" in self.path:
            yield "not-found"
        if self.method not in READING:
            yield from ("too-large", "unsupported-media-type")
        yield "throttled"

    def _success_headers(self, code: str) -> dict[str, Any]:
        headers: dict[str, Any] = {}
        if code in ("201", "202"):
            headers["Location"] = _header(
                {"type": "string", "format": "uri-reference"}, "Where to ask for it.", required=True
            )
            if self._takes_a_key():
                headers["Idempotent-Replayed"] = _header(
                    {"type": "string", "const": "true"},
                    "There for the stored answer of an earlier request.",
                )
        if code == "202":
            headers["Retry-After"] = _header(_SECONDS, "Seconds after which to ask.", required=True)
        return headers

    def _takes_a_key(self) -> bool:
        return any(
            isinstance(parameter, OpenApiParameter) and parameter.name == "Idempotency-Key"
            for parameter in self.get_override_parameters()
        )


def _sentences(text: str) -> tuple[str, str]:
    """The first sentence of a docstring, and the rest of it. A line break would be kept."""
    joined = "\n\n".join(part.replace("\n", " ") for part in text.split("\n\n"))
    first, rest = re.fullmatch(r"(.+?(?:[.](?=\s|$)|$))(.*)", joined, re.DOTALL).groups()  # type: ignore[union-attr]
    return first, rest.strip()


_DESCRIPTIONS = {"200": "Done", "201": "Created", "202": "Accepted", "304": "Not modified"}


def _describe_amount(schema: dict[str, Any], field: Any, whole: int) -> None:
    """Describe an amount in a request: a string, or a number."""
    schema["type"] = ["string", "number", *(["null"] if field.allow_null else [])]
    schema["pattern"] = rf"^-?\d{{1,{whole}}}(\.\d{{1,{_DECIMALS}}})?$"
    if field.min_value is not None:
        schema["minimum"] = int(field.min_value)
        if field.min_value >= 0:
            schema["pattern"] = schema["pattern"].replace("-?", "")
    if field.max_value is not None:
        schema["maximum"] = int(field.max_value)


def _problem_headers(names: set[str]) -> dict[str, Any]:
    headers = _platform_headers()
    kinds = [problem_schema.KINDS[name] for name in names]
    if any("retry_after" in (*kind.required, *kind.optional) for kind in kinds):
        always = all("retry_after" in kind.required for kind in kinds)
        headers["Retry-After"] = _header(
            _SECONDS, "Seconds after which to ask again.", required=always
        )
    if "unauthenticated" in names:
        headers["WWW-Authenticate"] = _header(_TEXT, "How to authenticate.", required=True)
    return headers


def _platform_headers() -> dict[str, Any]:
    """What any answer may have: the client's quota, and the id of the request."""
    quotas = {name: _header(_COUNT, meaning) for name, meaning in HEADERS.items()}
    return quotas | {HEADER: _header(_TEXT, "The id of the request, yours or a new one.")}


def _header(schema: dict[str, Any], description: str, *, required: bool = False) -> dict[str, Any]:
    header: dict[str, Any] = {"description": description, "schema": schema}
    return header | {"required": True} if required else header


def _with_headers(headers: dict[str, Any]) -> dict[str, Any]:
    return {"headers": headers} if headers else {}


def complete_components(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular's postprocessing hook: add the components that no serializer describes."""
    components = result.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas[problem_schema.COMPONENT] = problem_schema.problem_component()
    components["securitySchemes"] = _security_schemes()
    _shorten_names(result)
    used = _referenced(result)
    components["schemas"] = {name: schemas[name] for name in sorted(schemas) if name in used}
    return result


def _security_schemes() -> dict[str, Any]:
    names = {
        "Session": settings.SESSION_COOKIE_NAME,
        "CsrfToken": settings.CSRF_HEADER_NAME.removeprefix("HTTP_").replace("_", "-").title(),
    }
    return {
        scheme: definition | ({"name": names[scheme]} if scheme in names else {})
        for scheme, definition in SECURITY_SCHEMES.items()
    }


def _shorten_names(result: dict[str, Any]) -> None:
    """Drop the suffix of a request's component, unless the answer has one of that name, too."""
    schemas = result["components"]["schemas"]
    short = {name: name.removesuffix("Request") for name in schemas if name.endswith("Request")}
    short = {name: to for name, to in short.items() if to not in schemas}
    for name, to in short.items():
        schemas[to] = schemas.pop(name)
    for node in _nodes(result):
        name = str(node.get("$ref", "")).removeprefix(_SCHEMAS)
        if name in short:
            node["$ref"] = _SCHEMAS + short[name]


def _referenced(result: dict[str, Any]) -> set[str]:
    """The names of the components that an operation needs, itself or through others."""
    found: set[str] = set()
    waiting: list[Any] = [result["paths"]]
    while waiting:
        names = {
            str(node["$ref"]).removeprefix(_SCHEMAS)
            for node in _nodes(waiting.pop())
            if "$ref" in node
        }
        waiting += [result["components"]["schemas"][name] for name in names - found]
        found |= names
    return found


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a JSON value."""
    if isinstance(value, dict):
        yield value
        for part in value.values():
            yield from _nodes(part)
    elif isinstance(value, list):
        for part in value:
            yield from _nodes(part)
