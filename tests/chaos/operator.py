"""An operator who settles old bookings in doubt by the sandbox's list of shipments.

Run as a module, it settles them once for each line that it reads from standard input, and prints
a line of JSON: what it did and how many bookings are left, or null while the database is away.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
import urllib.request

import django


def main() -> None:
    django.setup()
    from django.db import InterfaceError, OperationalError, connection

    for _ in sys.stdin:
        try:
            result = settle(os.environ["SANDBOX_URL"], float(os.environ["OPERATOR_WAIT"]))
        except (InterfaceError, OperationalError):
            connection.close()
            result = None
        print(json.dumps(result), flush=True)


def settle(sandbox_url: str, min_age: float) -> dict[str, int]:
    """Settle the bookings that have been in doubt for more than `min_age` seconds."""
    from django.contrib.auth import get_user_model
    from django.utils import timezone

    from couriers.contract.platform_errors import NotInDoubt, TooEarly
    from couriers.contract.statuses import Status
    from couriers.models import Shipment
    from couriers.operations.doubt import release, resolve

    operator, _ = get_user_model().objects.get_or_create(username="operator")
    cutoff = timezone.now() - dt.timedelta(seconds=min_age)
    doubts = list(Shipment.objects.filter(status=Status.IN_DOUBT, updated_at__lte=cutoff))
    at_courier = _tracking_ids(sandbox_url) if doubts else {}
    done = {"released": 0, "resolved": 0}
    for shipment in doubts:
        tracking_id = at_courier.get(shipment.order_number)
        try:
            if tracking_id:
                reason = "The courier has it, and no callback came."
                # The list is the sandbox's own, whatever its tracking says among the faults.
                resolve(
                    shipment.pk, tracking_id=tracking_id, actor=operator, reason=reason,
                    confirm_unchecked=True,
                )  # fmt: skip
                done["resolved"] += 1
            else:
                release(shipment.pk, actor=operator, reason="The courier does not have it.")
                done["released"] += 1
        except (NotInDoubt, TooEarly):
            continue
    left = Shipment.objects.filter(status__in=[Status.BOOKING, Status.IN_DOUBT]).count()
    return done | {"left": left}


def _tracking_ids(sandbox_url: str) -> dict[str, str]:
    """Return the tracking id of every order that the sandbox has booked."""
    tracking_ids: dict[str, str] = {}
    while True:
        url = f"{sandbox_url}/_sandbox/shipments?after={len(tracking_ids)}&limit=1000"
        with urllib.request.urlopen(url, timeout=30) as answer:
            page = json.load(answer)
        if not page:
            return tracking_ids
        tracking_ids |= {s["order_number"]: s["tracking_id"] for s in page}


if __name__ == "__main__":
    main()
