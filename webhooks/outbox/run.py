"""One run of the outbox: positions, deliveries, sending. Few runs go on at once.

A run ends after seconds, so that a worker which does other work too is not kept from it. Runs
beside each other share the work, because each claims what it sends.
"""

from __future__ import annotations

from couriers.models.claims import bring_forward
from couriers.operations.events import number_events
from couriers.resilience import once
from webhooks.outbox.fan_out import fan_out
from webhooks.outbox.models import DeliveryState, WebhookDelivery, WebhookEndpoint
from webhooks.outbox.outcomes import BACK_OFF, JITTER, PROBE_PAUSES
from webhooks.outbox.sending import send_due

RUNS = 2  # at once, in all workers together
RUN_SECONDS = 10.0  # then a run claims nothing more
RESERVED_SECONDS = 30  # of a run whose worker died: longer than one with its last calls can be
# Batches of events that get positions, and statements that make deliveries, before sending goes on.
BATCHES, FAN_OUTS = 4, 20
LATE_SECONDS = 60  # between two looks for what waits for a clock that was set back


def run_outbox() -> tuple[int, bool]:
    """Do what is to be done; return the attempts that were made, and whether more is left.

    Does nothing while RUNS others go on.
    """
    place = next((n for n in range(RUNS) if once.reserve(f"outbox-{n}", RESERVED_SECONDS)), None)
    if place is None:
        return 0, False
    try:
        if once.reserve("late-deliveries", LATE_SECONDS):
            bring_forward_late_deliveries()
        make_deliveries()
        return send_due(RUN_SECONDS, refresh=make_deliveries)
    finally:
        once.release(f"outbox-{place}")


def make_deliveries() -> None:
    """Give new events their positions, and make deliveries of them: a bounded share of them."""
    number_events(BATCHES)
    for _ in range(FAN_OUTS):
        if not fan_out():
            break


def bring_forward_late_deliveries() -> None:
    """Make due what waits for longer than it can: the database's clock was set back."""
    pending = WebhookDelivery.objects.filter(state=DeliveryState.PENDING)
    bring_forward(pending, longest_pause=max(BACK_OFF) * JITTER)
    enabled = WebhookEndpoint.objects.filter(enabled=True)
    bring_forward(enabled, longest_pause=max(PROBE_PAUSES) * JITTER)
