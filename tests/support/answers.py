"""Compares each answer of the API with the OpenAPI schema, while tests make requests."""

from __future__ import annotations

import datetime as dt
import functools
import gzip
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.test import Client
from jsonschema import Draft202012Validator, FormatChecker

from couriers.api.documentation import openapi_schema

API = "/api/v1/"
ROOT_URLCONF = settings.ROOT_URLCONF
# Where one of these is sent, the schema must tell.
TELLING_HEADERS = (
    "Location", "Retry-After", "Idempotent-Replayed", "WWW-Authenticate", "RateLimit-Limit",
    "RateLimit-Remaining", "RateLimit-Reset",
)  # fmt: skip
# What Django and the framework answer to a path, method or host that no operation is for.
UNKNOWN_PATH = {"/problems/not-found": 404, "/problems/malformed": 400}
UNKNOWN_METHOD = UNKNOWN_PATH | {
    "/problems/method-not-allowed": 405,
    "/problems/unauthenticated": 401,
    "/problems/forbidden": 403,
}
PROBLEM = "application/problem+json"


class NotInTheSchema(AssertionError):
    """An answer that the schema does not describe. The message says which and why."""


class Answer(NamedTuple):
    """An answer of the API. `body` is None where the media type is not JSON."""

    status: int
    media_type: str
    headers: dict[str, str]
    body: Any


formats = FormatChecker(formats=())


@formats.checks("date-time", raises=ValueError)
def _is_time(value: object) -> bool:
    return not isinstance(value, str) or (
        value.endswith("Z") and dt.datetime.fromisoformat(value).tzinfo is not None
    )


@formats.checks("date", raises=ValueError)
def _is_day(value: object) -> bool:
    return not isinstance(value, str) or dt.date.fromisoformat(value).isoformat() == value


@formats.checks("uri")
def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or bool(urlsplit(value).scheme)


@functools.cache
def _schema() -> dict[str, Any]:
    return openapi_schema()


@functools.cache
def _operations() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    """The operations of each path by method, paths without parameters first."""
    paths = sorted(_schema()["paths"].items(), key=lambda entry: entry[0].count("{"))
    return [
        (re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), operations)
        for path, operations in paths
    ]


@functools.cache
def _validator(pointer: str) -> Draft202012Validator:
    """The validator of a schema inside the document, at a JSON pointer."""
    document = {"$ref": f"#{pointer}", **_schema()}
    return Draft202012Validator(document, format_checker=formats)


def _pointer(*parts: str) -> str:
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


def _path_template(path: str) -> tuple[str, dict[str, Any]] | None:
    if not path.endswith("/"):
        path += "/"
    for (pattern, operations), template in zip(_operations(), _templates(), strict=True):
        if pattern.fullmatch(path):
            return template, operations
    return None


@functools.cache
def _templates() -> list[str]:
    return sorted(_schema()["paths"], key=lambda path: path.count("{"))


def operation_at(method: str, path: str) -> str:
    """The name of the operation at a path, "" where there is none."""
    found = _path_template(path)
    operation = found[1].get("get" if method == "HEAD" else method.lower()) if found else None
    return operation["operationId"] if operation else ""


def check_answer(method: str, path: str, answer: Answer) -> None:
    """Raise NotInTheSchema unless the schema describes this answer to the request."""
    problems = list(_differences(method, path, answer))
    if problems:
        raise NotInTheSchema(
            f"{method} {path} answered {answer.status} {answer.media_type}: "
            + "; ".join(problems[:5])
        )


def check_body(method: str, path: str, body: Any) -> None:
    """Raise NotInTheSchema unless the schema describes this JSON as a body of the request."""
    found = _path_template(path)
    assert found is not None, path
    place = ("paths", found[0], method.lower(), "requestBody", "content", "application/json")
    if wrong := list(_errors(_pointer(*place, "schema"), body)):
        raise NotInTheSchema(f"{method} {path}: {'; '.join(wrong[:5])}")


def _differences(method: str, path: str, answer: Answer) -> Iterator[str]:
    found = _path_template(path)
    if found is None:
        yield from _unless_a_problem(answer, UNKNOWN_PATH)
        return
    template, operations = found
    verb = "get" if method == "HEAD" else method.lower()
    operation = operations.get(verb)
    if operation is None:
        yield from _unless_a_problem(answer, UNKNOWN_METHOD)
        if answer.status == 405 and {*answer.headers["allow"].split(", ")} - {"HEAD"} != {
            name.upper() for name in operations
        }:
            yield f"Allow is {answer.headers['allow']}"
        return
    response = operation["responses"].get(str(answer.status))
    if response is None:
        yield "the status is not in the schema"
        return
    place = ("paths", template, verb, "responses", str(answer.status))
    yield from _header_differences(response, place, answer)
    if method != "HEAD":
        yield from _body_differences(response, place, answer)


def _unless_a_problem(answer: Answer, expected: dict[str, int]) -> Iterator[str]:
    """Nothing for one of the expected problems. The answer to HEAD has no body."""
    if answer.body is None and answer.media_type == PROBLEM and answer.status in expected.values():
        return
    if answer.media_type != PROBLEM or expected.get(answer.body["type"]) != answer.status:
        yield "no operation of the schema is for this path and method"
        return
    yield from _errors(_pointer("components", "schemas", "Problem"), answer.body)


def _header_differences(
    response: dict[str, Any], place: tuple[str, ...], answer: Answer
) -> Iterator[str]:
    described = response.get("headers", {})
    for name, header in described.items():
        header, pointer = _header(header, _pointer(*place, "headers", name))
        value = answer.headers.get(name.lower())
        if value is None:
            if header.get("required"):
                yield f"the header {name} is missing"
            continue
        read = int(value) if header["schema"]["type"] == "integer" else value
        yield from _errors(f"{pointer}/schema", read)
    for name in TELLING_HEADERS:
        if name.lower() in answer.headers and name not in described:
            yield f"the header {name} is not in the schema"


def _header(header: dict[str, Any], pointer: str) -> tuple[dict[str, Any], str]:
    """A header and its place in the document. Those of many answers are components."""
    if "$ref" not in header:
        return header, pointer
    name = header["$ref"].rpartition("/")[2]
    return _schema()["components"]["headers"][name], _pointer("components", "headers", name)


def _body_differences(
    response: dict[str, Any], place: tuple[str, ...], answer: Answer
) -> Iterator[str]:
    content = response.get("content", {})
    if not content and not answer.media_type:  # 204
        return
    if answer.media_type not in content:
        yield "the media type is not in the schema"
    elif answer.media_type.endswith("json"):
        yield from _errors(_pointer(*place, "content", answer.media_type, "schema"), answer.body)


def _errors(pointer: str, value: Any) -> Iterator[str]:
    for error in _validator(pointer).iter_errors(value):
        yield f"{error.json_path}: {error.message[:300]}"


def check_django_response(response: Any) -> None:
    """Check a response of Django's test client, if the request was for the API."""
    path = response.request["PATH_INFO"]
    if not path.startswith(API) or settings.ROOT_URLCONF != ROOT_URLCONF:
        return
    headers = {name.lower(): value for name, value in response.headers.items()}
    media_type = headers.get("content-type", "").partition(";")[0]
    method = response.request["REQUEST_METHOD"]
    has_json = media_type.endswith("json") and method != "HEAD"
    content = response.content if has_json else b""
    if headers.get("content-encoding") == "gzip" and content:
        content = gzip.decompress(content)
    body = json.loads(content) if has_json else None
    check_answer(method, path, Answer(response.status_code, media_type, headers, body))


def checking(request: Any) -> Any:
    """Django's `Client.request`, which then checks the response."""

    @functools.wraps(request)
    def checked(self: Client, **environ: Any) -> Any:
        response = request(self, **environ)
        check_django_response(response)
        return response

    return checked
