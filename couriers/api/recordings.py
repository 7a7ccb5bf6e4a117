"""The recorded exchanges with the API, which are the examples of its documentation.

They are files in examples/: one for each operation, and one for each problem. A test makes the same
requests again and compares (CONTRIBUTING.md says how they are recorded).
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from couriers.api.problems import CONTENT_TYPE, type_of
from couriers.models.addresses import NoAddress, path_of

FOLDER = Path(__file__).with_name("examples")


class Exchange(NamedTuple):
    """A request and its answer. `body` and `answer` are None where there is no JSON."""

    operation: str
    title: str
    method: str
    path: str
    headers: dict[str, str]
    body: Any
    status: int
    answer_headers: dict[str, str]
    answer: Any


def of_operation(name: str) -> tuple[Exchange, ...]:
    """The exchanges of an operation that ended well, with the addresses of this installation."""
    return _read(f"operations/{name}.json", *_addresses())


def of_problem(name: str) -> tuple[Exchange, ...]:
    """The exchanges that ended in a problem of this type."""
    return _read(f"problems/{name}.json", *_addresses())


def media_type_of(exchange: Exchange) -> str:
    """The media type of an exchange's answer, "" where it has no body."""
    return exchange.answer_headers.get("Content-Type", "").partition(";")[0]


def _addresses() -> tuple[str, str]:
    try:
        root = path_of("couriers_api:schema").removesuffix("schema/")
    except NoAddress:  # a project with the problems' pages alone
        root = "/api/"
    return f"{root}v1/", type_of("x").removesuffix("x")


@cache
def _read(name: str, root: str, problems: str) -> tuple[Exchange, ...]:
    path = FOLDER / name
    if not path.exists():
        return ()
    text = path.read_text(encoding="utf-8").replace("/api/v1/", root)
    return tuple(map(_exchange, json.loads(text.replace('"/problems/', f'"{problems}'))))


def _exchange(entry: dict[str, Any]) -> Exchange:
    request, response = entry["request"], entry["response"]
    return Exchange(
        operation=entry["operation"],
        title=entry["title"],
        method=request["method"],
        path=request["path"],
        headers=request.get("headers", {}),
        body=request.get("body"),
        status=response["status"],
        answer_headers=response["headers"],
        answer=response.get("body"),
    )


def add_examples(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular's postprocessing hook: add the examples to bodies and answers."""
    problems: dict[str, Any] = {}
    for operations in result["paths"].values():
        for operation in operations.values():
            exchanges = of_operation(operation["operationId"])
            _add_to_request(operation, exchanges)
            for code, response in operation["responses"].items():
                if code[0] == "2":
                    _add_to_answer(response, [e for e in exchanges if str(e.status) == code])
                elif code[0] in "45":
                    problems |= _add_problems(response)
    result["components"]["examples"] = {name: problems[name] for name in sorted(problems)}
    return result


def _add_to_request(operation: dict[str, Any], exchanges: tuple[Exchange, ...]) -> None:
    content = operation.get("requestBody", {}).get("content", {})
    for media_type in content.values():
        shown = {e.title: e.body for e in exchanges if e.body is not None}
        if shown:
            media_type["examples"] = _named(shown)


def _add_to_answer(response: dict[str, Any], exchanges: list[Exchange]) -> None:
    for name, media_type in response.get("content", {}).items():
        shown = {e.title: e.answer for e in exchanges if media_type_of(e) == name and e.answer}
        if shown:
            media_type["examples"] = _named(shown)


def _named(shown: dict[str, Any]) -> dict[str, Any]:
    return {
        title.lower().replace(" ", "-"): {"summary": title, "value": value}
        for title, value in shown.items()
    }


def _add_problems(response: dict[str, Any]) -> dict[str, Any]:
    """Refer to an example of each problem that the answer may have; return these examples."""
    media_type = response["content"][CONTENT_TYPE]
    types = media_type["schema"]["properties"]["type"]["enum"]
    names = [str(of_type).rpartition("/")[2] for of_type in types]
    found = {name: of_problem(name)[0] for name in names if of_problem(name)}
    if found:
        media_type["examples"] = {name: {"$ref": f"#/components/examples/{name}"} for name in found}
    return {name: {"summary": e.answer["title"], "value": e.answer} for name, e in found.items()}
