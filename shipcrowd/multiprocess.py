"""The files in which prometheus_client keeps each process' metrics (PROMETHEUS_MULTIPROC_DIR)."""

from __future__ import annotations

import os
import re
from pathlib import Path


def remove_stale_files(folder: Path) -> int:
    """Remove the files of processes that are no longer running; return how many.

    Call it before a service starts. While the service runs, the counts of its workers that died
    still belong to the totals.
    """
    removed = 0
    for file in folder.glob("*.db"):
        owner = re.search(r"_(\d+)\.db$", file.name)
        if owner and not _is_alive(int(owner[1])):
            file.unlink(missing_ok=True)
            removed += 1
    return removed


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
