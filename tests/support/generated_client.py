"""The client that openapi-python-client makes from the served schema."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

PACKAGE = "generated_shipcrowd_client"


@contextmanager
def generated_client(folder: Path) -> Iterator[str]:
    """Make the client in the folder; it can be imported meanwhile. Yields what was printed."""
    schema = folder / "schema.yaml"
    schema.write_bytes(Client().get("/api/schema/").content)
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--path", str(schema)]
    done = subprocess.run(
        [*command, "--meta", "none", "--output-path", str(folder / PACKAGE)],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield done.stdout + done.stderr
        for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
            del sys.modules[name]


def part(name: str) -> Any:
    """A module of the generated package."""
    return importlib.import_module(f"{PACKAGE}.{name}")
