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

SHOWN = {
    "TEST-DOUBT": ("velocity", "Silk sarees: priority", "1, in doubt, then found"),
    "DEMO-FAIL-OVER": ("ekart", "Cash on delivery: priority", "2 (delhivery: rejected)"),
    "TEST-NDR": ("ekart", "Kurta sets: priority", "delivered"),
}


@dataclass(frozen=True)
class FinishedDemo:
    """A demo that has ended: its output, what each role read, and its processes before it ended."""

    output: str
    read: dict[str, Any]
    processes: int
    mark: str


@pytest.mark.slow
def test_a_full_demo(subtests: pytest.Subtests) -> None:
    """One demo for all of it: it takes a minute, and two workers would run one each."""
    with running_demo() as running:
        read = _read_by_each_role(running)
        mark = running.environment["DEMO_MARK"]
        processes = len(_processes_with_mark(mark))
    demo = FinishedDemo(running.output, read, processes, mark)
    with subtests.test("it shows the sandboxes' statuses and leaves no process running"):
        _check_end(demo)
    for order, words in SHOWN.items():
        with subtests.test("it shows why the order is with its courier", order=order):
            (line,) = [line for line in demo.output.splitlines() if line.startswith(f"│ {order}")]
            assert [word for word in words if word not in line] == []
    for role in demo.read:
        with subtests.test("no secret, and no phone without the permission", role=role):
            _check_read(role, demo.read[role])
    assert demo.read.keys() == MAY_EXPORT.keys()


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


def _check_end(demo: FinishedDemo) -> None:
    # The demo itself, three sandboxes, web server, two workers and beat.
    assert demo.processes >= 8
    assert _processes_with_mark(demo.mark) == []
    summary = re.search(r"43 orders, 40 booked: (.*)", demo.output)
    assert summary, demo.output
    counts = {status: int(count) for count, status in re.findall(r"(\d+) (\w+)", summary[1])}
    assert sum(counts.values()) == 40
    assert counts.keys() <= {"delivered", "undelivered", "rto_delivered"}


def _check_read(role: str, result: dict[str, Any]) -> None:
    assert result["leaks"] == []
    assert result["pages"] > 90
    assert bool(result["exports"]) == MAY_EXPORT[role]
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
