"""Proofs of delivery: fetched from the courier once, then served from the store."""

from __future__ import annotations

from couriers.contract.adapter import Capability
from couriers.contract.documents import Document, DocumentKind
from couriers.contract.platform_errors import ActionNotAllowed
from couriers.contract.registry import CourierFactory
from couriers.contract.statuses import Status
from couriers.documents.once import stored_or_asked
from couriers.fulfilment.rules import check_not_erased
from couriers.models import Shipment


def get_proof_of_delivery(shipment: Shipment) -> Document:
    """Return the proof of the shipment's delivery: a PDF or an image.

    Fetches it from the courier the first time, and stores it. Raises ActionNotAllowed for a
    shipment that is not delivered, ShipmentErased for one whose consignee was erased, NotSupported
    where the courier has no proofs, NotFound while there is none, Unknown where the answer is not a
    complete file of its type, and the courier's other errors.
    """
    check_not_erased(shipment)
    if not can_have_proof(shipment):
        status = shipment.get_status_display().lower()
        raise ActionNotAllowed("not-delivered", "The shipment is not delivered", f"It is {status}.")
    return stored_or_asked(
        shipment,
        DocumentKind.PROOF_OF_DELIVERY,
        Capability.GET_PROOF_OF_DELIVERY,
        shipment.tracking_id,
    )


def can_have_proof(shipment: Shipment) -> bool:
    """Whether the shipment has been delivered, so that a proof of it may exist."""
    return shipment.status == Status.DELIVERED


def offers_proof(shipment: Shipment) -> bool:
    """Whether a proof can be asked for: the shipment is delivered and the courier has proofs."""
    if not can_have_proof(shipment) or shipment.erased_at is not None:
        return False
    adapter_class = CourierFactory.adapter_class(shipment.courier_id)
    return Capability.GET_PROOF_OF_DELIVERY in adapter_class.capabilities
