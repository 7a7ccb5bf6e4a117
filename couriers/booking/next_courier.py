"""Which couriers are left for an order whose doubt was settled as not booked, by its rule.

The next one is asked by a task, and by a sweeper where the task was lost (booking/going_on.py).
"""

from __future__ import annotations

from functools import partial

from django.db import transaction
from django.db.models.functions import Now
from kombu.exceptions import OperationalError as BrokerUnavailable

from couriers.contract.logs import get_logger
from couriers.models import FailOver, Shipment
from couriers.rates.choice import Candidate, Choice
from couriers.resilience import broker

log = get_logger(__name__)

GO_ON = "couriers.go_on_booking"  # the task


def candidates_after(choice: Choice, courier: str) -> tuple[Candidate, ...]:
    """Return the candidates that come after this courier, none where it is not one of them."""
    codes = [each.courier for each in choice.candidates]
    return choice.candidates[codes.index(courier) + 1 :] if courier in codes else ()


def plan_next(shipment: Shipment) -> None:
    """Have the next courier asked, if the rule that chose says so and one is left.

    Call in the transaction that settles the shipment's doubt as not booked.
    """
    if shipment.choice is None:
        return
    choice = Choice.from_json(shipment.choice)
    if not (choice.after_doubt and candidates_after(choice, shipment.courier_id)):
        return
    FailOver.objects.update_or_create(
        shipment_id=shipment.pk,
        defaults={
            "attempt": shipment.attempt,
            "tries": 0,
            "next_attempt_at": Now(),
            "lease_expires_at": None,
        },
    )
    transaction.on_commit(partial(_send, shipment.pk))


def _send(shipment_id: str) -> None:
    try:
        broker.send_named(GO_ON, (shipment_id,))
    except BrokerUnavailable as error:
        log.warning("task_not_sent", task=GO_ON, error=str(error))
