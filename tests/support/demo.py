"""The demo as a user starts it, on servers of its own."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from shipcrowd import embedded

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class RunningDemo:
    """A demo that serves. Its processes have `DEMO_MARK` of `environment` in theirs."""

    environment: dict[str, str]
    output: str = field(default="")


@contextmanager
def running_demo() -> Iterator[RunningDemo]:
    """Start `manage.py demo`, and yield it once its parcels have arrived; end it afterwards."""
    with embedded.temporary("demo") as servers:
        environment = os.environ | {
            "DATABASE_URL": servers.database_url,
            "REDIS_URL": servers.redis_url,
            "LOG_LEVEL": "CRITICAL",
            "DEMO_MARK": secrets.token_hex(8),
            "PYTHONUNBUFFERED": "1",
            "COLUMNS": "200",
        }
        environment.pop("PYTEST_XDIST_WORKER", None)
        process = subprocess.Popen(
            [sys.executable, "manage.py", "demo", "--pace", "0.05"],
            cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        demo = RunningDemo(environment)
        assert process.stdout is not None
        with process.stdout:
            try:
                while "Serving until" not in demo.output:
                    line = process.stdout.readline()
                    assert line, demo.output
                    demo.output += line
                yield demo
            finally:
                process.terminate()
                demo.output += process.stdout.read()
                ended = process.wait(60)
        assert ended == 0, demo.output[-2000:]
