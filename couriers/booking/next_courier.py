"""Which couriers are left for an order whose doubt was settled as not booked, by its rule.

The next one is asked by a task, and by a sweeper where the task was lost (booking/going_on.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from kombu.exceptions import OperationalError as BrokerUnavailable

from couriers.contract.errors import CourierError, NotDone, NotSent
from couriers.contract.logs import get_logger
from couriers.contract.platform_errors import UnknownCourier
from couriers.models import FailOver, Shipment
from couriers.models.call import Outcome
from couriers.models.claims import DoublingPauses, back_off, seconds_from_now
from couriers.rates.choice import Candidate, Choice
from couriers.resilience import broker

log = get_logger(__name__)

GO_ON = "couriers.go_on_booking"  # the task
PAUSES = DoublingPauses(first=30.0, longest=600.0)
MAX_ROUNDS = 10  # then the order has failed, as its shipment says


@dataclass(frozen=True, slots=True)
class Round:
    """One round of asking the couriers that are left after a doubt.

    `before` is how many rounds there were before it. `errors` are why its couriers did not book,
    also of those that were passed over.
    """

    before: int
    errors: Sequence[CourierError | UnknownCourier]


def candidates_after(choice: Choice, courier: str) -> tuple[Candidate, ...]:
    """Return the candidates that come after this courier, none where it is not one of them."""
    codes = [each.courier for each in choice.candidates]
    return choice.candidates[codes.index(courier) + 1 :] if courier in codes else ()


def candidates_left(choice: Choice, shipment: Shipment) -> tuple[Candidate, ...]:
    """Return the candidates to ask in the next round.

    They come after the courier of the last doubt, and have not refused the order since.
    """
    attempts = shipment.earlier_attempts.order_by("-number")
    doubt = attempts.filter(outcome=Outcome.UNKNOWN).first()
    if doubt is None:  # it was settled by the late answer of its call
        return candidates_after(choice, shipment.courier_id)
    since = attempts.filter(number__gt=doubt.number, outcome=Outcome.REJECTED)
    refused = set(since.values_list("courier", flat=True))
    after = candidates_after(choice, doubt.courier_id)
    return tuple(each for each in after if each.courier not in refused)


def plan_next(shipment: Shipment) -> None:
    """Have the next courier asked, if the rule that chose says so and one is left.

    Call in the transaction that settles the shipment's doubt as not booked.
    """
    if shipment.choice is None:
        return
    choice = Choice.from_json(shipment.choice)
    if not (choice.after_doubt and candidates_after(choice, shipment.courier_id)):
        return
    _plan(shipment, tries=0, next_attempt_at=Now())
    transaction.on_commit(partial(_send, shipment.pk))


def pause_after(ended: Round) -> float | None:
    """Return the seconds until the next round, or None where there is none.

    There is none after MAX_ROUNDS, and where no error of the round passes by itself.
    """
    passing = [error for error in ended.errors if isinstance(error, (NotSent, NotDone))]
    rounds = ended.before + 1
    if not passing or rounds >= MAX_ROUNDS:
        return None
    return min(back_off(rounds, PAUSES, passing[-1].retry_after), PAUSES.longest)


def plan_again(shipment: Shipment, ended: Round) -> bool:
    """Have the couriers that are left asked again after a pause; return whether they are.

    Call in the transaction that ends the round's last attempt.
    """
    if (pause := pause_after(ended)) is None:
        return False
    _plan(shipment, tries=ended.before + 1, next_attempt_at=seconds_from_now(pause))
    return True


def _plan(shipment: Shipment, **columns: Any) -> None:
    FailOver.objects.update_or_create(
        shipment_id=shipment.pk,
        defaults={"attempt": shipment.attempt, "lease_expires_at": None, **columns},
    )


def _send(shipment_id: str) -> None:
    try:
        broker.send_named(GO_ON, (shipment_id,))
    except BrokerUnavailable as error:
        log.warning("task_not_sent", task=GO_ON, error=str(error))
