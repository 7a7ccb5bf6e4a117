"""Labels: stored with the booking, or fetched from the courier once; then served from the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from couriers.contract.adapter import Capability
from couriers.contract.checked_calls import call_adapter
from couriers.contract.documents import DocumentKind
from couriers.contract.errors import NotDone, NotFound, Unknown
from couriers.contract.registry import CourierFactory
from couriers.documents.once import stored_or_asked
from couriers.documents.storing import find_stored
from couriers.fulfilment.rules import check_booked, check_not_erased
from couriers.models import Shipment, StoredDocument
from couriers.models.document import DocumentState

PENDING_RETRY_AFTER = 10.0  # seconds after which a pending label may be stored


def get_label(shipment: Shipment) -> bytes:
    """Return the label for the shipment's current tracking id, as a PDF.

    Fetches it from the courier the first time, and stores it. Where the storage is full or away,
    the label is returned all the same, and stored when it is asked for again. A courier whose
    labels come with the booking alone is not asked.

    Raises ActionNotAllowed for a shipment that is not booked, ShipmentErased for one whose label
    was erased, Unknown where the courier's answer is not a complete PDF, NotDone while a label that
    came with the booking is being fetched, NotFound where it could not be, and the courier's
    errors.
    """
    check_booked(shipment)
    check_not_erased(shipment)
    adapter = CourierFactory.get_adapter(shipment.account)
    if not adapter.supports(Capability.GET_LABEL):
        if stored := find_stored(shipment, DocumentKind.LABEL):
            return stored.content
        _explain_missing(shipment)
    return stored_or_asked(
        shipment, DocumentKind.LABEL, Capability.GET_LABEL, [shipment.tracking_id]
    ).content


def get_label_data(shipment: Shipment) -> Mapping[str, Any]:
    """Fetch the data of the label as the courier's own JSON. It is not stored.

    Raises the errors of `get_label`, and NotSupported where the courier has only the PDF.
    """
    check_booked(shipment)
    check_not_erased(shipment)
    adapter = CourierFactory.get_adapter(shipment.account)
    labels: Sequence[Mapping[str, Any]] = call_adapter(
        adapter, Capability.LABEL_DATA, [shipment.tracking_id]
    )
    if len(labels) != 1:
        raise Unknown(
            f"{len(labels)} labels came for one shipment",
            courier=shipment.courier_id,
            operation="get_label_data",
        )
    return labels[0]


def _explain_missing(shipment: Shipment) -> None:
    """Raise the error for a label that came with the booking and is not stored, if one came."""
    row = StoredDocument.objects.filter(
        shipment=shipment, kind=DocumentKind.LABEL, tracking_id=shipment.tracking_id
    ).first()
    if row is None:
        return
    courier, operation = shipment.courier_id, Capability.GET_LABEL.value
    if row.state == DocumentState.PENDING:
        raise NotDone(
            "the label that came with the booking is being fetched",
            courier=courier,
            operation=operation,
            retry_after=PENDING_RETRY_AFTER,
        )
    reason = row.reason or "the storage no longer has it"
    raise NotFound(
        f"the label came with the booking alone and cannot be had: {reason}",
        courier=courier,
        operation=operation,
    )
