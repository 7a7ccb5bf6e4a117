"""Log lines by an allow-list of keys: what nobody has thought about is not written out."""

from __future__ import annotations

import ast
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import structlog

from couriers.contract.log_keys import HIDDEN, allow_keys, hide_other_keys, is_allowed
from tests.support.log_lines import Lines

ROOT = Path(__file__).resolve().parents[2]
METHODS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
# They change how a line is made, and are not written.
OF_LOGGING = {"exc_info", "stack_info"}


def logged_keys(source: str) -> Iterator[str]:
    """The keywords of every call of `log`, and the keys of dicts that are named `facts`."""
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in METHODS
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "log"
        ):
            yield from (keyword.arg for keyword in node.keywords if keyword.arg)


def test_every_key_that_the_platform_logs_is_allowed() -> None:
    found = {
        key
        for app in ("couriers", "couriers_ekart", "couriers_velocity", "webhooks", "shipcrowd")
        for path in (ROOT / app).rglob("*.py")
        for key in logged_keys(path.read_text())
    }
    assert len(found) > 30
    assert {key for key in found - OF_LOGGING if not is_allowed(key)} == set()


def test_a_key_that_nobody_allowed_is_named_and_its_value_hidden(lines: Lines) -> None:
    structlog.get_logger("x").warning("event", consignee="Ravi, 9 Secret Lane", account="acc_1")
    [line] = lines
    assert (line["consignee"], line["account"]) == (HIDDEN, "acc_1")


def test_an_object_is_written_as_its_class_and_a_long_text_is_cut(lines: Lines) -> None:
    class Shipment:
        def __repr__(self) -> str:
            return "Ravi, 9 Secret Lane"

    structlog.get_logger("x").warning(
        "event", shipment=Shipment(), ids=[1, Shipment()], reason="x" * 100_000, count=3
    )
    [line] = lines
    assert (line["shipment"], line["ids"], line["count"]) == ("Shipment", [1, "Shipment"], 3)
    assert len(line["reason"]) == 4000


def test_of_a_long_traceback_the_end_is_written(lines: Lines) -> None:
    structlog.get_logger("x").warning("event", exception="x" * 100_000 + "ValueError: late")
    assert len(lines[0]["exception"]) == 20_000
    assert lines[0]["exception"].endswith("ValueError: late")


def test_a_plug_in_allows_keys_of_its_own() -> None:
    before: dict[str, Any] = {"event": "x", "tests_own_key": "1"}
    assert hide_other_keys(None, "", dict(before))["tests_own_key"] == HIDDEN
    allow_keys("tests_own_key")
    assert hide_other_keys(None, "", before) == before


def test_the_extras_of_a_library_are_not_written(lines: Lines) -> None:
    logging.getLogger("x").warning("event", extra={"body": "9, Secret Lane"})
    assert "Secret" not in str(lines)
