"""The examples of the documentation are real exchanges, and those of the API as it is now.

Where the API has changed they are recorded anew, by `make examples`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from typing import Any

import pytest

from couriers.api.documentation import openapi_schema
from couriers.api.problem_schema import KINDS
from couriers.api.recordings import FOLDER, Exchange, media_type_of, of_operation, of_problem
from couriers.api.schema_layout import operations_of
from tests.support.answers import Answer, check_answer, check_body
from tests.support.example_runs import run_operations
from tests.support.example_world import make_world
from tests.support.problem_runs import run_problems
from tests.support.recorder import by_file, shape, write
from tests.support.sandboxes import sandbox_fixture
from tests.support.webhook_runs import run_events

RECORD = os.environ.get("RECORD_EXAMPLES")
RECORD_ANEW = "record the examples anew: make examples"
# No view answers with it: the framework has no error that the tables do not name.
WITHOUT_EXAMPLE = {"error"}
sandbox = sandbox_fixture("--hold")


def shown() -> Iterator[Exchange]:
    """Every exchange that the documentation shows."""
    for path in sorted(FOLDER.glob("operations/*.json")):
        yield from of_operation(path.stem)
    for path in sorted(FOLDER.glob("problems/*.json")):
        yield from of_problem(path.stem)


@pytest.mark.slow
@pytest.mark.own_session
@pytest.mark.django_db(transaction=True)
def test_a_new_run_has_the_exchanges_that_are_shown(
    sandbox: Any, able: Any, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    world = make_world(sandbox)
    run_operations(world)
    run_events(world)
    run_problems(world, settings)
    recorded = by_file(world.recorder.exchanges())
    if RECORD:
        write(recorded, FOLDER)
    files = {str(p.relative_to(FOLDER)): p.read_text() for p in FOLDER.glob("*/*.json")}
    assert files.keys() ^ recorded.keys() == set(), RECORD_ANEW
    for name, text in files.items():
        for old, new in zip(json.loads(text), recorded[name], strict=True):
            assert (old["title"], old["response"]["status"]) == (
                new["title"], new["response"]["status"],
            ), f"{name}: {RECORD_ANEW}"  # fmt: skip
            assert shape(old) == shape(new), f"{name}, {old['title']}: {RECORD_ANEW}"


def test_every_operation_has_an_example_of_each_success_and_of_its_body() -> None:
    lacking = []
    for where, operation in operations_of(openapi_schema()):
        exchanges = of_operation(operation["operationId"])
        for code in operation["responses"]:
            if code[0] == "2" and not any(str(e.status) == code for e in exchanges):
                lacking.append(f"{where}: {code}")
        if "requestBody" in operation and not any(e.body for e in exchanges):
            lacking.append(f"{where}: the request")
    assert not lacking, f"{lacking}: add a run to tests/support/example_runs.py"


def test_every_problem_has_an_example() -> None:
    assert {name for name in KINDS if not of_problem(name)} == WITHOUT_EXAMPLE


def test_every_example_is_as_the_schema_describes_it() -> None:
    exchanges = list(shown())
    assert len(exchanges) > 90
    for exchange in exchanges:
        headers = {name.lower(): text for name, text in exchange.answer_headers.items()}
        if exchange.status == 405:
            continue  # the answer names methods in a header that is not kept
        answer = Answer(exchange.status, media_type_of(exchange), headers, exchange.answer)
        path = exchange.path.partition("?")[0]
        check_answer(exchange.method, path, answer)
        if exchange.body is not None and exchange.status < 400:
            check_body(exchange.method, path, exchange.body)


def test_an_example_of_a_field_that_is_gone_fails() -> None:
    exchange = of_operation("get_shipment")[0]
    answer = Answer(200, "application/json", {}, exchange.answer | {"gone": 1})
    with pytest.raises(AssertionError, match="gone"):
        check_answer("GET", exchange.path, answer)
    body = of_operation("book_shipment")[0].body
    with pytest.raises(AssertionError, match="gone"):
        check_body("POST", "/api/v1/shipments/", body | {"gone": 1})


def test_the_schema_shows_the_examples() -> None:
    schema = openapi_schema()
    book = schema["paths"]["/api/v1/shipments/"]["post"]
    (first, *_) = book["requestBody"]["content"]["application/json"]["examples"].values()
    assert first["value"]["consignee"]["name"] == "Asha Rao"
    assert book["responses"]["202"]["content"]["application/json"]["examples"]["in-doubt"]
    conflicts = book["responses"]["409"]["content"]["application/problem+json"]["examples"]
    assert conflicts["order-live"] == {"$ref": "#/components/examples/order-live"}
    live = schema["components"]["examples"]["order-live"]["value"]
    assert {"type", "title", "status", "detail", "shipment", "shipment_status"} <= live.keys()


def test_no_example_has_a_secret_or_an_address_of_a_run() -> None:
    for path in FOLDER.glob("*/*.json"):
        text = path.read_text()
        for word in ("Bearer ", "Api-Key ey", "127.0.0.1", "password"):
            assert word not in text, (path.name, word)
        assert re.search(r"sk_(live|test)_(?!example)", text) is None, path.name
