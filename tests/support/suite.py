"""The names of all tests, for lists of failures and attacks that name the tests against them."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent


@functools.cache
def names_in_the_suite() -> set[str]:
    """Return the name of every test function."""
    return {
        node.name
        for path in TESTS.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
