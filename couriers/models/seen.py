"""The version of a shipment that a person sees, so that nobody decides on what has changed since.

It changes with what a decision depends on: the status, the failed attempt, what was asked of the
courier, and what another person decided. News that change none of these do not count.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from django.db.models import Max

from couriers.contract.platform_errors import ChangedSince
from couriers.contract.signals import ActionOutcome
from couriers.models.action import ShipmentAction
from couriers.models.audit import AuditEntry
from couriers.models.shipment import Shipment

# Decisions that change nothing of the shipment by themselves: an action has a row of its own.
READING = frozenset({"show_phone", "show_consignee", "act_on_shipment"})
_NOTHING_DONE = (ActionOutcome.NOT_SENT.value, ActionOutcome.NOT_DONE.value)


def seen_of(shipments: Collection[Shipment]) -> dict[str, str]:
    """Return the versions of shipments by their ids, in two statements."""
    ids = [shipment.pk for shipment in shipments]
    asked = ShipmentAction.objects.filter(shipment__in=ids).exclude(outcome__in=_NOTHING_DONE)
    rows = asked.order_by("pk").values_list("shipment_id", "pk", "state")
    states = {shipment_id: f"{pk} {state}" for shipment_id, pk, state in rows}
    decided = AuditEntry.objects.filter(shipment__in=ids).exclude(action__in=READING)
    newest = dict(
        decided.order_by().values_list("shipment_id").annotate(newest=Max("pk")).values_list(
            "shipment_id", "newest"
        )
    )  # fmt: skip
    return {
        one.pk: _version(one, states.get(one.pk, ""), newest.get(one.pk, 0)) for one in shipments
    }


def refuse_changed(shipment: Shipment, seen: str) -> None:
    """Raise ChangedSince unless this is the shipment's version. "" stands for any version."""
    if seen and seen_of([shipment])[shipment.pk] != seen:
        raise ChangedSince(shipment.pk)


def _version(shipment: Shipment, asked: str, decided: int) -> str:
    facts = (
        shipment.status, shipment.status_at and shipment.status_at.timestamp(),
        shipment.ndr_reason, shipment.delivery_attempts, shipment.tracking_id, asked, decided,
    )  # fmt: skip
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]
