"""A courier whose callbacks let every parcel pass to its next status, each sent until its 200.

Run as a module, as `tests.chaos.callback_sender` is, whose sender it uses. A run is one turn.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from tests.chaos.callback_sender import START, CallbackSender

# The courier's statuses of a parcel in turn, and the platform's neutral status for each.
STEPS = {
    "Picked Up": "picked_up",
    "In Transit": "in_transit",
    "Shipment Delayed": "delayed",
    "Out for Delivery": "out_for_delivery",
    "Undelivered": "undelivered",
    "Delivered": "delivered",
}


def make_callbacks(parcels: list[str], turn: int) -> Iterator[bytes]:
    """Yield a body for each parcel: its status in this turn, an hour after the one before."""
    for number, parcel in enumerate(parcels):
        body = {
            "ctime": START + turn * 3_600_000 + number,
            "status": list(STEPS)[turn],
            "location": "PUNE",
            "desc": "On its way",
            "attempts": "0",
            "wbn": parcel,
            "id": parcel,
            "orderNumber": parcel.removeprefix("T"),
        }
        yield json.dumps(body).encode()


if __name__ == "__main__":
    task: dict[str, Any] = json.load(sys.stdin)
    bodies = list(make_callbacks(task["parcels"], task["turn"]))
    json.dump(CallbackSender(task, bodies).run(task["threads"]), sys.stdout)
