"""The web server's application, which kills its own process where it is told to.

A file `kill-STEP` in CHAOS_DIR is an order for one death at that step of a booking; whichever
process takes the file first carries it out.
"""

import os
import signal
from pathlib import Path
from typing import Any

from couriers.booking.steps import Step, booking_step
from shipcrowd.wsgi import application

__all__ = ["application"]

ORDERS = Path(os.environ["CHAOS_DIR"])


def _die_as_ordered(*, step: Step, **_: Any) -> None:
    order = ORDERS / f"kill-{step}"
    if order.exists():
        try:
            order.rename(ORDERS / f"killed-{step}-{os.getpid()}")
        except FileNotFoundError:
            return
        os.kill(os.getpid(), signal.SIGKILL)


booking_step.connect(_die_as_ordered)
