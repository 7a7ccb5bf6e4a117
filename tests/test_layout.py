"""The layout: tests share code through tests/support alone, and the house stays readable."""

from __future__ import annotations

import ast
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent


def imported_by(source: str) -> Iterator[str]:
    """The names of all modules that a source may import, wherever in it the import stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def is_module_of_tests(name: str) -> bool:
    """Whether the dotted name is that of one of our modules with tests or fixtures."""
    root, *parts = name.split(".")
    return root == "tests" and any(p == "conftest" or p.startswith("test_") for p in parts)


def test_no_module_imports_tests_or_fixtures() -> None:
    found = {
        str(path.relative_to(TESTS)): names
        for path in TESTS.rglob("*.py")
        if (names := [name for name in imported_by(path.read_text()) if is_module_of_tests(name)])
    }
    assert found == {}


@pytest.mark.parametrize(
    "source",
    [
        "from tests.conftest import ORDER",
        "import tests.booking.test_protocol",
        "from tests.ekart import test_ekart_live",
        "def late():\n    from tests.booking.test_protocol import draft",
    ],
)
def test_an_import_of_tests_is_found_wherever_it_stands(source: str) -> None:
    assert any(is_module_of_tests(name) for name in imported_by(source))


def tracked(*patterns: str) -> list[Path]:
    """The files that git tracks; the test skips where there is no checkout."""
    listed = subprocess.run(
        ["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("not in a checkout")
    return [ROOT / name for name in listed.stdout.split()]


def test_the_core_shows_at_most_twenty_two_entries() -> None:
    entries = {path.relative_to(ROOT / "couriers").parts[0] for path in tracked("couriers")}
    assert len(entries) <= 22, sorted(entries)


def test_no_module_is_longer_than_350_lines() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in tracked("*.py")
        if "migrations" not in path.parts and (lines := len(path.read_text().splitlines())) > 350
    }
    assert long == {}


def test_the_scan_for_secrets_excuses_no_finding_and_no_file() -> None:
    configured = json.loads((ROOT / ".secrets.json").read_text())
    assert configured["results"] == {}
    filters = [one["path"].rsplit(".", 1)[-1] for one in configured["filters_used"]]
    assert "should_exclude_file" not in filters
    lint = (ROOT / "Makefile").read_text().partition("\nlint:")[2].partition("\n\n")[0]
    for command in ("bandit", "detect-secrets-hook --baseline .secrets.json"):
        assert f"$(BIN)/{command}" in lint
