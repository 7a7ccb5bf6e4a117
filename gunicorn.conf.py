"""gunicorn's own settings; it reads this file from the folder it is started in."""

import os
from pathlib import Path
from typing import Any

from shipcrowd.multiprocess import tidy

# Loaded once and forked: workers share its memory, and one that dies is back at once.
preload_app = True


def on_starting(server: Any) -> None:
    """Begin with a folder of metrics that no dead process' files are in."""
    if folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        tidy(Path(folder))
