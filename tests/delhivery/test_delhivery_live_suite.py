"""The gated suite itself: off by default, and right about a courier that behaves."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.delhivery import LOGIN, DelhiverySandbox
from tests.support.live import live_marks

ROOT = Path(__file__).resolve().parents[2]
SUITE = "tests/delhivery/test_delhivery_live.py"


def run(**environment: str) -> tuple[int, str]:
    left_out = ("DELHIVERY_", "PYTEST_", "COV", "RUN_DELHIVERY_")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rs", SUITE],
        cwd=ROOT,
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=180,
    )
    return done.returncode, done.stdout


@pytest.mark.skipif(os.environ.get("RUN_DELHIVERY_LIVE") == "1", reason="it was asked for")
def test_the_live_suite_is_skipped_by_default_with_a_reason() -> None:
    (gate,) = (mark for mark in live_marks("delhivery") if mark.name == "skipif")
    assert gate.args == (True,)
    assert "set RUN_DELHIVERY_LIVE=1" in gate.kwargs["reason"]
    assert '\npytestmark = live_marks("delhivery")\n' in (ROOT / SUITE).read_text()


@pytest.mark.slow
def test_the_live_suite_books_only_if_mutations_are_allowed_and_passes_against_the_sandbox() -> (
    None
):
    with DelhiverySandbox() as sandbox:
        live = {
            "RUN_DELHIVERY_LIVE": "1",
            "DELHIVERY_BASE_URL": sandbox.url,
            **{f"DELHIVERY_{name.upper()}": value for name, value in LOGIN.items()},
        }
        code, out = run(**live)
        assert (code, sandbox.state()["booked"]) == (0, 0), out
        assert re.search(r"^6 passed, 2 skipped", out, re.MULTILINE), out
        assert "set DELHIVERY_ALLOW_MUTATIONS=1" in out
        code, out = run(**live, DELHIVERY_ALLOW_MUTATIONS="1")
        assert code == 0, out
        assert re.search(r"^8 passed", out, re.MULTILINE), out
        assert sandbox.state()["booked"] == 2
