"""The gated suite of a courier, run in a process of its own as a person runs it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.process import SandboxProcess
from tests.support.live import live_marks

ROOT = Path(__file__).resolve().parents[2]
MAX_SECONDS = 240


def unless_asked_for(courier: str) -> pytest.MarkDecorator:
    """Return the mark of the test that the suite is skipped: not where it is to run."""
    is_asked_for = os.environ.get(f"RUN_{courier.upper()}_LIVE") == "1"
    return pytest.mark.skipif(is_asked_for, reason="it was asked for")


@dataclass(frozen=True, slots=True)
class LiveSuite:
    """The suite of one courier, with the variables of its login but the base URL."""

    courier: str
    login: Mapping[str, str]

    @property
    def path(self) -> Path:
        """The file of the suite."""
        return ROOT / "tests" / self.courier / f"test_{self.courier}_live.py"

    def run(self, base_url: str, *flags: str, **more: str) -> tuple[int, str]:
        """Run it against a server; return the exit code and what was printed."""
        prefix = self.courier.upper()
        others = (f"{prefix}_", f"RUN_{prefix}_", "PYTEST_", "COV")
        clean = {name: text for name, text in os.environ.items() if not name.startswith(others)}
        asked = {f"RUN_{prefix}_LIVE": "1", f"{prefix}_BASE_URL": base_url}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-rs", str(self.path), *flags],
            cwd=ROOT,
            env=clean | asked | dict(self.login) | more,
            capture_output=True,
            text=True,
            timeout=MAX_SECONDS,
        )
        return done.returncode, done.stdout

    def check_is_gated(self) -> None:
        """Assert that nothing of it runs unless it is asked for, and that its reason says how."""
        (gate,) = (mark for mark in live_marks(self.courier) if mark.name == "skipif")
        assert gate.args == (True,)
        assert f"set RUN_{self.courier.upper()}_LIVE=1" in gate.kwargs["reason"]
        assert f'\npytestmark = live_marks("{self.courier}")\n' in self.path.read_text()

    def check_reads(self, sandbox: SandboxProcess, *, passed: int, skipped: int) -> None:
        """Assert that without leave so many tests pass, the others are skipped, none books."""
        code, out = self.run(sandbox.url)
        assert (code, sandbox.state()["booked"]) == (0, 0), out
        assert re.search(rf"^{passed} passed, {skipped} skipped", out, re.MULTILINE), out
        assert f"set {self.courier.upper()}_ALLOW_MUTATIONS=1" in out

    def check_books(
        self, sandbox: SandboxProcess, *, passed: int, booked: int, **more: str
    ) -> None:
        """Assert that with leave all of its tests pass, and book so many shipments."""
        code, out = self.run(
            sandbox.url, **{f"{self.courier.upper()}_ALLOW_MUTATIONS": "1"}, **more
        )
        assert code == 0, out
        assert re.search(rf"^{passed} passed", out, re.MULTILINE), out
        assert sandbox.state()["booked"] == booked
