"""The request of a stored shipment, to search for it or to repeat its create call.

It is made of the tables alone, because the process that had the merchant's request is gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from couriers.booking.stored_drafts import (
    address_of,
    items_of,
    parcel_of,
    readable_address_of,
)
from couriers.contract.adapter import BaseCourierAdapter
from couriers.contract.types import (
    Address,
    Direction,
    PaymentMode,
    Pickup,
    Seller,
    ShipmentRequest,
)
from couriers.models import Shipment, WarehouseRegistration
from couriers.models.fields import readable_or


def search_request(shipment: Shipment, reserved_id: str = "") -> ShipmentRequest:
    """Return the request by which the shipment is searched for.

    What was erased, or cannot be decrypted, is empty in it.
    """
    consignee = readable_address_of(shipment)
    return _request(shipment, consignee, readable_or(shipment, "options", {}), reserved_id)


def repeat_request(
    shipment: Shipment, adapter: BaseCourierAdapter, reserved_id: str
) -> ShipmentRequest:
    """Return the request of the shipment's create call, as it was sent.

    Raises UnreadableValue where no key opens the consignee's data, and InvalidRequest where the
    plug-in no longer takes the options.
    """
    consignee = address_of(shipment)
    return _request(shipment, consignee, adapter.validate_options(shipment.options), reserved_id)


def _request(
    shipment: Shipment, consignee: Address, options: Mapping[str, Any], reserved_id: str
) -> ShipmentRequest:
    company = shipment.company
    return ShipmentRequest(
        order_number=shipment.order_number,
        order_date=shipment.order_date,
        direction=Direction(shipment.direction),
        payment_mode=PaymentMode(shipment.payment_mode),
        cod_amount=shipment.cod_amount,
        consignee=consignee,
        items=items_of(shipment),
        parcel=parcel_of(shipment),
        seller=Seller(company.name, company.gstin, company.address, company.state),
        pickup=_pickup(shipment),
        service=shipment.service,
        invoice_number=shipment.invoice_number,
        invoice_date=shipment.invoice_date,
        return_reason=shipment.return_reason,
        options=options,
        shipment_id=shipment.pk,
        attempt=shipment.attempt,
        reserved_id=reserved_id,
    )


def _pickup(shipment: Shipment) -> Pickup:
    """Return the warehouse with the courier's reference, if its present address is registered."""
    pickup = shipment.warehouse.as_pickup()
    reference = (
        WarehouseRegistration.objects.filter(
            account=shipment.account_id,
            warehouse=shipment.warehouse_id,
            address_hash=pickup.address.fingerprint(),
        )
        .values_list("reference", flat=True)
        .first()
    )
    return shipment.warehouse.as_pickup(reference or "")
