"""The gated suite itself: off by default, and right about a courier that behaves."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from sandbox.process import SandboxProcess
from tests.support.live import live_marks
from tests.support.velocity_sandbox_client import WAREHOUSE

ROOT = Path(__file__).resolve().parents[2]
SUITE = "tests/velocity/test_velocity_live.py"


def run(**environment: str) -> tuple[int, str]:
    others = ("VELOCITY_", "RUN_VELOCITY", "PYTEST_", "COV")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rs", SUITE],
        cwd=ROOT,
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    return done.returncode, done.stdout


@pytest.mark.skipif(os.environ.get("RUN_VELOCITY_LIVE") == "1", reason="it was asked for")
def test_the_live_suite_is_skipped_by_default_with_a_reason() -> None:
    (gate,) = (mark for mark in live_marks("velocity") if mark.name == "skipif")
    assert gate.args == (True,)
    assert "set RUN_VELOCITY_LIVE=1" in gate.kwargs["reason"]
    assert '\npytestmark = live_marks("velocity")\n' in (ROOT / SUITE).read_text()


@pytest.mark.slow
def test_the_live_suite_books_only_if_mutations_are_allowed_and_passes_against_the_sandbox() -> (
    None
):
    with SandboxProcess("velocity", "--hold") as sandbox:
        live = {
            "RUN_VELOCITY_LIVE": "1", "VELOCITY_BASE_URL": sandbox.url,
            "VELOCITY_API_KEY": "sandbox",
        }  # fmt: skip
        code, out = run(**live)
        assert (code, sandbox.state()["booked"]) == (0, 0), out
        assert re.search(r"^5 passed, 1 skipped", out, re.MULTILINE), out
        assert "set VELOCITY_ALLOW_MUTATIONS=1" in out
        made = requests.post(
            f"{sandbox.url}/custom/api/v1/warehouse", json=WAREHOUSE, timeout=10,
            headers={"Authorization": "sandbox"},
        ).json()  # fmt: skip
        reference = f"{made['payload']['warehouse_id']}/{WAREHOUSE['name']}"
        code, out = run(**live, VELOCITY_ALLOW_MUTATIONS="1", VELOCITY_LIVE_WAREHOUSE=reference)
        assert code == 0, out
        assert re.search(r"^6 passed", out, re.MULTILINE), out
        assert sandbox.state()["booked"] == 1
        assert list(sandbox.invalid_requests()) == []
