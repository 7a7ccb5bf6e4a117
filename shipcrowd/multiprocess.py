"""The folder in which the processes of one machine add up their metrics."""

from __future__ import annotations

import os
import re
from pathlib import Path


def tidy(folder: Path) -> int:
    """Remove what processes that are no more have left; returns how many files.

    For the start of a service: while it runs, what its dead workers counted still counts.
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
