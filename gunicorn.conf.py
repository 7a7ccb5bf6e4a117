"""The settings of gunicorn, which reads this file from its working directory."""

import os
from pathlib import Path
from typing import Any

from shipcrowd.multiprocess import remove_stale_files

# The application is loaded once and forked: workers share its memory and restart at once.
preload_app = True


def on_starting(server: Any) -> None:
    """Remove the metrics of earlier processes before the first worker starts."""
    if folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        remove_stale_files(Path(folder))
