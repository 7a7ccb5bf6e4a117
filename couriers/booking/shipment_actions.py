"""Which actions a shipment's courier takes on it now, by the rules of its plug-in."""

from __future__ import annotations

from couriers.contract.action_rules import ActionFacts, allowed_actions
from couriers.contract.actions import ActionKind
from couriers.contract.adapter import BaseCourierAdapter
from couriers.contract.platform_errors import UnknownCourier
from couriers.contract.registry import CourierFactory
from couriers.contract.statuses import Status
from couriers.contract.types import Direction
from couriers.models import Shipment
from couriers.models.fields import readable_or

# An action of any other kind needs the consignee, who may have been erased.
WITHOUT_CONSIGNEE = frozenset({ActionKind.CANCEL})


def action_facts(
    shipment: Shipment, adapter: BaseCourierAdapter | type[BaseCourierAdapter]
) -> ActionFacts:
    """Return what the courier's rules read of a shipment. Makes no query."""
    reason = None
    if shipment.ndr_reason:
        reason = adapter.mapper.map(shipment.courier_status, reason=shipment.ndr_reason).reason
    return ActionFacts(
        status=Status(shipment.status),
        direction=Direction(shipment.direction),
        reason=reason,
        attempts=shipment.delivery_attempts,
        options=readable_or(shipment, "options", {}),
    )


def actions_allowed(shipment: Shipment) -> list[ActionKind]:
    """Return the actions that may be asked for now, none where the courier has no plug-in."""
    if not shipment.tracking_id:
        return []
    try:
        adapter = CourierFactory.adapter_class(shipment.courier_id)
    except UnknownCourier:
        return []
    found = allowed_actions(adapter, action_facts(shipment, adapter))
    if shipment.erased_at is not None:
        return [kind for kind in found if kind in WITHOUT_CONSIGNEE]
    return found
