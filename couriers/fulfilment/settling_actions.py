"""Actions without an end: the courier is asked once more, or a person says how they ended."""

from __future__ import annotations

from django.db.models.functions import Now

from couriers.contract.signals import ActionOutcome
from couriers.fulfilment.outcomes import ask_about, end
from couriers.models import ShipmentAction
from couriers.models.asked import AskedState


def ask_now(action_id: str) -> bool:
    """Find out now how an accepted action ended; return whether it has ended."""
    accepted = ShipmentAction.objects.filter(pk=action_id, state=AskedState.ACCEPTED)
    accepted.update(next_attempt_at=Now())
    return ask_about(action_id)


def settle_unknown(action_id: str, *, was_done: bool) -> bool:
    """End an unknown action as a person found out at the courier; return whether it was unknown."""
    action = ShipmentAction.objects.get(pk=action_id)
    if action.state != AskedState.UNKNOWN:
        return False
    end(action, ActionOutcome.DONE if was_done else ActionOutcome.REJECTED)
    return True
