"""Processing of callbacks: what one worker process applies a second, and that it is right.

A hundred thousand deliveries of 5,000 parcels' events, a fifth of them repeats, shuffled; then each
parcel's state is compared with the one that its events have when they are told in order.
"""

from __future__ import annotations

import json
import logging
import random
import time
from dataclasses import dataclass
from typing import Any

from django.db import connection

from benchmarks.inbox import EVENTS, execute, new_account
from couriers.contract.registry import CourierFactory
from couriers.models import CourierAccount, Scan, Shipment, ShipmentFlag
from tests.support.parcels import make_parcels
from webhooks import inbox
from webhooks.models import EventState, WebhookEvent
from webhooks.tasks import process_inbox

PARCELS = 5_000
DELIVERIES = 100_000
REPEATS = 0.2
BUDGET = 1000  # events a second
SEED = 20261124
START = 1_790_000_000_000  # milliseconds

# Lives that parcels have: statuses in order, each with the neutral status that it makes.
LIVES: list[list[tuple[str, str]]] = [
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
# What the courier may say after the end, and what is to be flagged then.
AFTERTHOUGHT = ("In Transit", "in_transit")
ENDS = {"delivered", "rto_delivered", "cancelled"}


@dataclass(frozen=True, slots=True)
class _Expected:
    """A parcel's state when its events are told in order."""

    status: str
    scans: int
    flagged: bool


def run() -> bool:
    """Print events a second of one process, and how many parcels ended wrong."""
    logging.getLogger("couriers").setLevel(logging.ERROR)
    rng = random.Random(SEED)
    account = new_account()
    tracking_ids = make_parcels(account, PARCELS)
    events, expected = _lives(tracking_ids, rng)
    deliveries = events + rng.choices(events, k=DELIVERIES - len(events))
    rng.shuffle(deliveries)
    _deliver(account, deliveries)
    stored = WebhookEvent.objects.count()
    execute(f"ANALYZE {EVENTS}")
    started = time.perf_counter()
    applied = _work()
    took = time.perf_counter() - started
    rate = applied / took
    wrong = _wrong(account, expected)
    left = WebhookEvent.objects.exclude(state=EventState.PROCESSED).count()
    print(
        f"processing: {len(deliveries):,} deliveries ({len(deliveries) - stored:,} repeats) of "
        f"{len(tracking_ids):,} parcels; {applied:,} events in {took:.1f} s by one process: "
        f"{rate:.0f} a second (≥ {BUDGET}); {wrong} parcels ended wrong (0), {left} left (0)"
    )
    execute(f"TRUNCATE {EVENTS}")
    return rate >= BUDGET and not wrong and not left


def _lives(tracking_ids: list[str], rng: random.Random) -> tuple[list[bytes], dict[str, _Expected]]:
    """The bodies of all parcels' events, and how each parcel is to end."""
    wanted = int(DELIVERIES * (1 - REPEATS))
    bodies: list[bytes] = []
    expected: dict[str, _Expected] = {}
    for number, tracking_id in enumerate(tracking_ids):
        life = list(rng.choice(LIVES))
        # Cut off, as lives are that are not over; and as many events as are wanted in all.
        share = wanted * (number + 1) // len(tracking_ids) - len(bodies)
        life = life[:share]
        ended = life[-1][1] in ENDS
        if len(life) < share and ended and rng.random() < 0.1:
            life.append(AFTERTHOUGHT)
        told = [one for one in life if one[1]]
        flagged = ended and life[-1] == AFTERTHOUGHT
        status = told[-2][1] if flagged else told[-1][1]
        expected[tracking_id] = _Expected(status, len(life), flagged)
        at = START + rng.randrange(10**9)
        for word, _ in life:
            at += rng.randrange(60_000, 6 * 3_600_000)
            bodies.append(_body(tracking_id, word, at))
    return bodies, expected


def _body(tracking_id: str, word: str, at: int) -> bytes:
    body: dict[str, Any] = {
        "ctime": at, "status": word, "location": "PUNE", "desc": f"{word} at PUNE",
        "attempts": "0", "wbn": tracking_id, "id": tracking_id, "orderNumber": tracking_id,
        "edd": at + 86_400_000,
    }  # fmt: skip
    return json.dumps(body, separators=(",", ":")).encode()


def _deliver(account: CourierAccount, bodies: list[bytes]) -> None:
    """Take in all deliveries, by the inbox's own statement."""
    receiver = CourierFactory.receiver(account.courier_id)
    assert receiver is not None
    # Durable commits of a hundred thousand statements are not what is measured here.
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
    for body in bodies:
        inbox.take_in(account.pk, receiver, body)
    with connection.cursor() as cursor:
        cursor.execute("RESET synchronous_commit")


def _work() -> int:
    """What a worker does until nothing is due."""
    applied = 0
    while taken := process_inbox():
        applied += taken
    return applied


def _wrong(account: CourierAccount, expected: dict[str, _Expected]) -> int:
    wrong = 0
    scans: dict[str, int] = {}
    for key in Scan.objects.filter(shipment__account=account).values_list("shipment_id", flat=True):
        scans[key] = scans.get(key, 0) + 1
    flagged = set(
        ShipmentFlag.objects.filter(cleared_at__isnull=True).values_list("shipment_id", flat=True)
    )
    rows = Shipment.objects.filter(account=account).values_list("pk", "tracking_id", "status")
    for pk, tracking_id, status in rows:
        found = _Expected(status, scans.get(pk, 0), pk in flagged)
        wrong += found != expected[tracking_id]
    return wrong
