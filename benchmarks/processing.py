"""Processing of callbacks: events a second of one worker process, and whether they end right.

It stores 40,000 shuffled deliveries of the events of 2,000 parcels, a fifth of them repeats, and
processes them. Then it compares each parcel with the state that its events have in their order.
"""

from __future__ import annotations

import json
import logging
import random
import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection

from benchmarks.figures import Figure, at_least, at_most
from benchmarks.inbox import EVENTS_TABLE, account_with_secret, empty_inbox, execute
from couriers.contract.registry import CourierFactory
from couriers.models import CourierAccount, Scan, Shipment, ShipmentFlag
from tests.support.parcels import make_parcels
from webhooks import inbox
from webhooks.models import EventState, WebhookEvent
from webhooks.tasks import process_inbox

PARCELS = 2_000
DELIVERIES = 40_000
REPEATS = 0.2  # of the deliveries
BUDGET = 1000  # events a second
SEED = 20261124
START = 1_790_000_000_000  # milliseconds

# Life cycles of parcels: Ekart's statuses in order, each with its neutral status.
LIFE_CYCLES: list[list[tuple[str, str]]] = [
    [
        ("Order Placed", "booked"), ("Out for Pickup", "out_for_pickup"),
        ("Picked Up", "picked_up"), *[("In Transit", "in_transit")] * 8,
        ("Shipment Delayed", "delayed"), ("Out for Delivery", "out_for_delivery"),
        ("Undelivered", "undelivered"), ("Delivered", "delivered"),
    ],
    [
        ("Order Placed", "booked"), ("Picked Up", "picked_up"),
        *[("In Transit", "in_transit")] * 7, ("Undelivered", "undelivered"),
        ("RTO Requested", "rto_requested"), *[("RTO In Transit", "rto_in_transit")] * 3,
        ("RTO Delivered", "rto_delivered"),
    ],
    [
        ("Order Placed", "booked"), ("Picked Up", "picked_up"),
        *[("In Transit", "in_transit")] * 10, ("Teleported", ""), ("Cancelled", "cancelled"),
        ("RTO In Transit", "rto_in_transit"), ("RTO Out for Delivery", "rto_out_for_delivery"),
    ],
    [("Picked Up", "picked_up"), *[("In Transit", "in_transit")] * 15],
]  # fmt: skip
TERMINAL = {"delivered", "rto_delivered", "cancelled"}
# A status after a terminal one, which flags the shipment.
LATE_STATUS = ("In Transit", "in_transit")
LATE_SHARE = 0.1  # of the parcels that have room for it


@dataclass(frozen=True, slots=True)
class _Expected:
    """A parcel's state once its events are applied in their order."""

    status: str
    scans: int
    flagged: bool


def run() -> list[Figure]:
    """Measure the events a second, and count the parcels in a wrong state."""
    logging.getLogger("couriers").setLevel(logging.ERROR)
    rng = random.Random(SEED)
    empty_inbox()
    account = account_with_secret()
    tracking_ids = make_parcels(account, PARCELS)
    bodies, expected = _make_events(tracking_ids, rng)
    deliveries = bodies + rng.choices(bodies, k=DELIVERIES - len(bodies))
    rng.shuffle(deliveries)
    _store(account, deliveries)
    stored = WebhookEvent.objects.count()
    execute(f"ANALYZE {EVENTS_TABLE}")
    started = time.perf_counter()
    applied = process_all()
    seconds = time.perf_counter() - started
    rate = applied / seconds
    wrong = _count_wrong(account, expected)
    left = WebhookEvent.objects.exclude(state=EventState.PROCESSED).count()
    empty_inbox()
    what = f"process webhooks: {applied:,} events of {len(deliveries):,} deliveries, one process"
    return [
        replace(at_least(what, rate, BUDGET, "events/s", 0), speed=("callbacks_processed", rate)),
        at_most(f"— parcels in a wrong state, of {len(tracking_ids):,}", wrong, 0, "", 0),
        at_most(f"— events left of {stored:,} stored", left, 0, "", 0),
    ]


def _make_events(
    tracking_ids: list[str], rng: random.Random
) -> tuple[list[bytes], dict[str, _Expected]]:
    """Return the bodies of all parcels' events and each parcel's expected state."""
    wanted = int(DELIVERIES * (1 - REPEATS))
    bodies: list[bytes] = []
    expected: dict[str, _Expected] = {}
    for number, tracking_id in enumerate(tracking_ids):
        # Each parcel gets an equal share of the events, so that long life cycles are cut off.
        share = wanted * (number + 1) // len(tracking_ids) - len(bodies)
        events = list(rng.choice(LIFE_CYCLES))[:share]
        terminal = events[-1][1] in TERMINAL
        if len(events) < share and terminal and rng.random() < LATE_SHARE:
            events.append(LATE_STATUS)
        known = [event for event in events if event[1]]
        flagged = terminal and events[-1] == LATE_STATUS
        status = known[-2][1] if flagged else known[-1][1]
        expected[tracking_id] = _Expected(status, len(events), flagged)
        at = START + rng.randrange(10**9)
        for courier_status, _ in events:
            at += rng.randrange(60_000, 6 * 3_600_000)
            bodies.append(callback_body(tracking_id, courier_status, at))
    return bodies, expected


def callback_body(
    tracking_id: str, courier_status: str, at: int, order_number: str | None = None
) -> bytes:
    """Return a tracking callback of Ekart; `at` is in milliseconds."""
    body: dict[str, Any] = {
        "ctime": at, "status": courier_status, "location": "PUNE",
        "desc": f"{courier_status} at PUNE", "attempts": "0", "wbn": tracking_id,
        "id": tracking_id, "orderNumber": order_number or tracking_id, "edd": at + 86_400_000,
    }  # fmt: skip
    return json.dumps(body, separators=(",", ":")).encode()


def _store(account: CourierAccount, bodies: list[bytes]) -> None:
    """Store all deliveries as the webhook view does."""
    receiver = CourierFactory.receiver(account.courier_id)
    assert receiver is not None
    # The time to flush so many commits to disk is not part of the measurement.
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
    for body in bodies:
        inbox.store_callback(account.pk, receiver, body)
    with connection.cursor() as cursor:
        cursor.execute("RESET synchronous_commit")


def process_all() -> int:
    """Run the worker's task until nothing is due; return how many events it claimed."""
    applied = 0
    while claimed := process_inbox():
        applied += claimed
    return applied


def _count_wrong(account: CourierAccount, expected: dict[str, _Expected]) -> int:
    """Return how many parcels are not in their expected state."""
    scans = Counter(
        Scan.objects.filter(shipment__account=account).values_list("shipment_id", flat=True)
    )
    flagged = set(ShipmentFlag.objects.open().values_list("shipment_id", flat=True))
    rows = Shipment.objects.filter(account=account).values_list("pk", "tracking_id", "status")
    return sum(
        _Expected(status, scans[pk], pk in flagged) != expected[tracking_id]
        for pk, tracking_id, status in rows
    )
