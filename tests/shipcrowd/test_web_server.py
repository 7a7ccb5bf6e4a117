"""gunicorn loads the application once, forks workers and replaces those that die."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import pytest

from shipcrowd.stack import Stack
from tests.support.nginx import needs_nginx
from tests.support.worker import forks_of, own_servers


def memory_of(pid: int) -> tuple[int, int]:
    """Return a process' private and shared memory in kilobytes."""
    sizes = dict(
        re.findall(r"^(\w+): +(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
    )
    private = int(sizes["Private_Clean"]) + int(sizes["Private_Dirty"])
    return private, int(sizes["Rss"]) - private


@needs_nginx
@pytest.mark.slow
def test_a_dead_worker_is_replaced_and_shares_the_memory_of_the_application(
    transactional_db: None, tmp_path: Path
) -> None:
    metrics = tmp_path / "not" / "there"
    with Stack(own_servers(), {"PROMETHEUS_MULTIPROC_DIR": str(metrics)}) as stack:
        web = stack.start_web()
        stack.wait_until_ready()
        first, second = forks_of(web.pid)
        os.kill(first, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while not (new := set(forks_of(web.pid)) - {first, second}) and time.monotonic() < deadline:
            time.sleep(0.01)
        stack.wait_until_ready()
        private, shared = memory_of(*new)
        assert private < shared, f"{private} kB private, {shared} kB shared"
        # The settings created the folder of the metrics.
        assert list(metrics.glob("*.db"))
