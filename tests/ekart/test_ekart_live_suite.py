"""The gated suite itself: off by default, and right about a courier that behaves."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.process import SandboxProcess
from shipcrowd.stack import SANDBOX_LOGIN
from tests.support.live import live_marks

ROOT = Path(__file__).resolve().parents[2]
SUITE = "tests/ekart/test_ekart_live.py"


def run(**environment: str) -> tuple[int, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("EKART_", "PYTEST_", "COV"))}
    clean.pop("RUN_EKART_LIVE", None)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rs", SUITE],
        cwd=ROOT,
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stdout


@pytest.mark.skipif(os.environ.get("RUN_EKART_LIVE") == "1", reason="it was asked for")
def test_the_live_suite_is_skipped_by_default_with_a_reason() -> None:
    (gate,) = (mark for mark in live_marks("ekart") if mark.name == "skipif")
    assert gate.args == (True,)
    assert "set RUN_EKART_LIVE=1" in gate.kwargs["reason"]
    assert '\npytestmark = live_marks("ekart")\n' in (ROOT / SUITE).read_text()


@pytest.mark.slow
def test_the_live_suite_books_only_if_mutations_are_allowed_and_passes_against_the_sandbox() -> (
    None
):
    with SandboxProcess("ekart", "--hold") as sandbox:
        live = {"RUN_EKART_LIVE": "1", "EKART_BASE_URL": sandbox.url, **SANDBOX_LOGIN}
        code, out = run(**live)
        assert (code, sandbox.state()["booked"]) == (0, 0), out
        assert re.search(r"^7 passed, 4 skipped", out, re.MULTILINE), out
        assert "set EKART_ALLOW_MUTATIONS=1" in out
        code, out = run(**live, EKART_ALLOW_MUTATIONS="1")
        assert code == 0, out
        assert re.search(r"^11 passed", out, re.MULTILINE), out
        assert sandbox.state()["booked"] == 4
