"""docs/logging.md: its events are logged, its keys allowed, its names exist, its Python runs."""

from __future__ import annotations

import importlib
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from couriers.contract import log_keys
from shipcrowd.telemetry import errors, tracing

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "logging.md").read_text()
CODE = "\n".join(
    path.read_text()
    for app in ("couriers", "webhooks", "shipcrowd")
    for path in (ROOT / app).rglob("*.py")
)


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def test_the_line_of_the_page_has_keys_that_are_written() -> None:
    assert not {key for key in json.loads(block("json")) if not log_keys.is_allowed(key)}
    table = PAGE[PAGE.index("| key |") : PAGE.index("These events")]
    keys = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE)))
    assert len(keys) > 5
    assert not {key for key in keys if not log_keys.is_allowed(key)}


def test_the_events_of_the_page_are_logged_at_their_levels() -> None:
    rows = re.findall(r"^\| (`[^|]+`) \| (info|warning|error) \|", PAGE, re.MULTILINE)
    events = [(event, level) for cell, level in rows for event in re.findall(r"`(\w+)`", cell)]
    assert len(events) > 8
    for event, level in events:
        logged = rf'log\.{level}\(\s*"{event}"|log_not_reached\(\w+, "{event}"'
        assert re.search(logged, CODE), (event, level)


def test_the_names_of_the_page_exist() -> None:
    names = re.findall(r"`((?:couriers|structlog)(?:\.\w+)+)`", PAGE)
    assert len(names) > 2
    for name in names:
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module), attribute), name
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    assert set(re.findall(r"shipcrowd\[(\w+)\]", PAGE)) == {"otel", "sentry"} <= set(extras)
    assert "request_id" in tracing.ALLOWED
    assert errors.scrubbed


def test_the_example_of_a_host_project_allows_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_keys, "_allowed", set(log_keys._allowed))
    made: dict[str, Any] = {}
    exec(block("python"), made)
    assert not log_keys.is_allowed("basket")
    made["ShopConfig"].ready(None)
    assert log_keys.is_allowed("basket")


def test_the_image_has_the_extras() -> None:
    assert '".[otel,sentry]"' in (ROOT / "Dockerfile").read_text()
