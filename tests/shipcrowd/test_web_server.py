"""The web server as it is started: loaded once, forked, and soon back."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import pytest

from shipcrowd.stack import Stack
from tests.support.worker import forks_of, own_servers


def memory_of(pid: int) -> tuple[int, int]:
    """What a process has to itself, and what it shares with others, in kilobytes."""
    sizes = dict(
        re.findall(r"^(\w+): +(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
    )
    private = int(sizes["Private_Clean"]) + int(sizes["Private_Dirty"])
    return private, int(sizes["Rss"]) - private


@pytest.mark.slow
def test_a_worker_that_dies_is_back_and_shares_what_was_loaded(
    transactional_db: None, tmp_path: Path
) -> None:
    metrics = tmp_path / "not" / "there"
    with Stack(own_servers(), {"PROMETHEUS_MULTIPROC_DIR": str(metrics)}) as stack:
        web = stack.start_web(workers=1)
        stack.until_ready()
        (first,) = forks_of(web.pid)
        os.kill(first, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while (forks := forks_of(web.pid)) in ([first], []) and time.monotonic() < deadline:
            time.sleep(0.01)
        stack.until_ready()
        private, shared = memory_of(*forks)
        assert private < shared, f"{private} kB of its own, {shared} kB shared"
        # It found no folder for its metrics.
        assert list(metrics.glob("*.db"))
