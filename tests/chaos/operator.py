"""An operator who settles old doubts by the courier's panel, which here is the sandbox's ledger.

Run as a module, it goes through them for each line that it is given, and answers with a line of
JSON: what it did and how many doubts are left, or null while the database is away.
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
            answer = settle(os.environ["SANDBOX_URL"], float(os.environ["OPERATOR_WAITS"]))
        except (InterfaceError, OperationalError):
            connection.close()
            answer = None
        print(json.dumps(answer), flush=True)


def settle(panel: str, wait: float) -> dict[str, int]:
    """Settle the doubts that are older than `wait` seconds."""
    from django.contrib.auth import get_user_model
    from django.utils import timezone

    from couriers.contract.platform_errors import NotInDoubt, TooEarly
    from couriers.contract.statuses import Status
    from couriers.models import Shipment
    from couriers.operations.doubt import release, resolve

    operator, _ = get_user_model().objects.get_or_create(username="operator")
    long_ago = timezone.now() - dt.timedelta(seconds=wait)
    doubts = list(Shipment.objects.filter(status=Status.IN_DOUBT, updated_at__lte=long_ago))
    at_courier = _shown_by(panel) if doubts else {}
    done = {"released": 0, "resolved": 0}
    for shipment in doubts:
        found = at_courier.get(shipment.order_number)
        try:
            if found:
                reason = "The panel has it, and no callback came."
                resolve(shipment.pk, tracking_id=found, actor=operator, reason=reason)
                done["resolved"] += 1
            else:
                release(shipment.pk, actor=operator, reason="The panel does not have it.")
                done["released"] += 1
        except (NotInDoubt, TooEarly):
            continue
    left = Shipment.objects.filter(status__in=[Status.BOOKING, Status.IN_DOUBT]).count()
    return done | {"left": left}


def _shown_by(url: str) -> dict[str, str]:
    found: dict[str, str] = {}
    while True:
        asked = f"{url}/_sandbox/shipments?after={len(found)}&limit=1000"
        with urllib.request.urlopen(asked, timeout=30) as answer:
            page = json.load(answer)
        if not page:
            return found
        found |= {s["order_number"]: s["tracking_id"] for s in page}


if __name__ == "__main__":
    main()
