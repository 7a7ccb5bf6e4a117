"""An operator who settles old doubts by the courier's panel, which here is the sandbox's books."""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
import urllib.request

import django


def main() -> None:
    django.setup()
    from django.contrib.auth import get_user_model
    from django.utils import timezone

    from couriers.doubt import NotInDoubt, TooEarly, release, resolve
    from couriers.models import Shipment
    from couriers.statuses import Status

    operator, _ = get_user_model().objects.get_or_create(username="operator")
    at_courier = _panel(os.environ["SANDBOX_URL"])
    long_ago = timezone.now() - dt.timedelta(seconds=float(os.environ["OPERATOR_WAITS"]))
    done = {"released": 0, "resolved": 0}
    for shipment in Shipment.objects.filter(status=Status.IN_DOUBT, updated_at__lte=long_ago):
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
    json.dump(done | {"left": left}, sys.stdout)


def _panel(url: str) -> dict[str, str]:
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
