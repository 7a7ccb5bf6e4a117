"""The WSGI application, which kills its own process at a step of a booking when asked to.

A file `kill-STEP` in CHAOS_DIR asks for one kill at that step. The process that renames the file
first is killed.
"""

import os
import signal
from pathlib import Path
from typing import Any

from couriers.booking.steps import Step, booking_step
from shipcrowd.wsgi import application

__all__ = ["application"]

KILL_REQUESTS = Path(os.environ["CHAOS_DIR"])


def _kill_if_requested(*, step: Step, **_: Any) -> None:
    request = KILL_REQUESTS / f"kill-{step}"
    if request.exists():
        try:
            request.rename(KILL_REQUESTS / f"killed-{step}-{os.getpid()}")
        except FileNotFoundError:
            return
        os.kill(os.getpid(), signal.SIGKILL)


booking_step.connect(_kill_if_requested)
