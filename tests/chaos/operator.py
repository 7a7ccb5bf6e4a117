"""An operator who settles old bookings in doubt by the sandboxes' lists of shipments.

OPERATOR_TASKS has the couriers whose doubts it settles, as JSON: the URL of each one's sandbox, and
whether it settles all of them or absences alone (tests.chaos.couriers.Operator). Run as a module,
it settles them once for each line that it reads from standard input, and prints a line of JSON:
what it did by courier and how many bookings are left, or null while the database is away.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
import urllib.request
from collections import Counter
from typing import Any

import django


def main() -> None:
    django.setup()
    tasks = json.loads(os.environ["OPERATOR_TASKS"])
    from django.db import InterfaceError, OperationalError, connection

    for _ in sys.stdin:
        try:
            result = settle(tasks, float(os.environ["OPERATOR_WAIT"]))
        except (InterfaceError, OperationalError):
            connection.close()
            result = None
        print(json.dumps(result), flush=True)


def settle(tasks: dict[str, dict[str, str]], min_age: float) -> dict[str, Any]:
    """Settle the bookings that have been in doubt for more than `min_age` seconds."""
    from django.contrib.auth import get_user_model
    from django.utils import timezone

    from couriers.contract.statuses import Status
    from couriers.models import Shipment

    operator, _ = get_user_model().objects.get_or_create(username="operator")
    cutoff = timezone.now() - dt.timedelta(seconds=min_age)
    done: dict[str, Counter[str]] = {"released": Counter(), "resolved": Counter()}
    for code, task in tasks.items():
        doubts = list(
            Shipment.objects.filter(
                courier__code=code, status=Status.IN_DOUBT, updated_at__lte=cutoff
            )
        )
        at_courier = _tracking_ids(task["sandbox"]) if doubts else {}
        for shipment in doubts:
            tracking_id = at_courier.get(shipment.order_number)
            if tracking_id and task["settles"] == "absences":
                continue
            if decision := _decide(shipment, tracking_id, operator):
                done[decision][code] += 1
    left = Shipment.objects.filter(status__in=[Status.BOOKING, Status.IN_DOUBT]).count()
    return done | {"left": left}


def _decide(shipment: Any, tracking_id: str | None, operator: Any) -> str:
    """Settle a doubt; return the decision, "" where it is too early or settled already."""
    from couriers.contract.platform_errors import NotInDoubt, TooEarly
    from couriers.operations.doubt import release, resolve

    try:
        if not tracking_id:
            release(shipment.pk, actor=operator, reason="The courier does not have it.")
            return "released"
        # The list is the sandbox's own, whatever its tracking says among the faults.
        resolve(
            shipment.pk, tracking_id=tracking_id, actor=operator, confirm_unchecked=True,
            reason="The courier has it, and no callback came.",
        )  # fmt: skip
    except (NotInDoubt, TooEarly):
        return ""
    return "resolved"


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
