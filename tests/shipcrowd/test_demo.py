"""A full demo: what it shows, and that no role reads in it what it may not."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.demo import ROOT, RunningDemo, running_demo

MAY_EXPORT = {"Support": False, "Operations": False, "Finance": True, "Administrator": True}


@dataclass(frozen=True)
class FinishedDemo:
    """A demo that has ended: its output, what each role read, and its processes before it ended."""

    output: str
    read: dict[str, Any]
    processes: int
    mark: str


@pytest.fixture(scope="module")
def demo() -> FinishedDemo:
    with running_demo() as running:
        read = _read_by_each_role(running)
        mark = running.environment["DEMO_MARK"]
        processes = len(_processes_with_mark(mark))
    return FinishedDemo(running.output, read, processes, mark)


def _read_by_each_role(demo: RunningDemo) -> dict[str, Any]:
    key = re.search(r"Api-Key (\S+?)\)", demo.output)
    assert key, demo.output
    run = subprocess.run(
        [sys.executable, "-m", "tests.support.role_crawl"],
        cwd=ROOT, capture_output=True, text=True,
        env=demo.environment | {
            "DJANGO_SETTINGS_MODULE": "shipcrowd.settings", "API_KEYS": key[1],
        },
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-2000:]
    return dict(json.loads(run.stdout))


@pytest.mark.slow
def test_the_demo_shows_the_sandboxes_statuses_and_leaves_no_process_running(
    demo: FinishedDemo,
) -> None:
    # The demo itself, three sandboxes, web server, two workers and beat.
    assert demo.processes >= 8
    assert _processes_with_mark(demo.mark) == []
    summary = re.search(r"43 orders, 40 booked: (.*)", demo.output)
    assert summary, demo.output
    counts = {status: int(count) for count, status in re.findall(r"(\d+) (\w+)", summary[1])}
    assert sum(counts.values()) == 40
    assert counts.keys() <= {"delivered", "undelivered", "rto_delivered"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("order", "words"),
    [
        ("TEST-DOUBT", ("velocity", "Silk sarees: priority", "1, in doubt, then found")),
        ("DEMO-FAIL-OVER", ("ekart", "Cash on delivery: priority", "2 (delhivery: rejected)")),
        ("TEST-NDR", ("ekart", "Kurta sets: priority", "delivered")),
    ],
)
def test_the_demo_shows_why_each_order_is_with_its_courier(
    demo: FinishedDemo, order: str, words: tuple[str, ...]
) -> None:
    (line,) = [line for line in demo.output.splitlines() if line.startswith(f"│ {order}")]
    for word in words:
        assert word in line


@pytest.mark.slow
def test_no_role_reads_a_secret_or_a_phone_without_the_permission_in_a_full_demo(
    demo: FinishedDemo,
) -> None:
    assert demo.read.keys() == MAY_EXPORT.keys()
    for role, result in demo.read.items():
        assert result["leaks"] == [], role
        assert result["pages"] > 90, role
        assert bool(result["exports"]) == MAY_EXPORT[role], role
        # Without these the search would prove nothing.
        assert result["secrets"] >= 4
        assert result["personal"] > 20


def _processes_with_mark(mark: str) -> list[int]:
    """Return the ids of the processes that have this DEMO_MARK in their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"DEMO_MARK={mark}".encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue  # the process has ended or belongs to another user
    return found
