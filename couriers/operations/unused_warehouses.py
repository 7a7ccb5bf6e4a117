"""Deleting a warehouse that was never used."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from couriers.contract.platform_errors import WarehouseInUse
from couriers.models import Company, Shipment, Warehouse, WarehousePickup
from couriers.models.audit import record


def delete_unused(warehouse: Warehouse) -> None:
    """Delete a warehouse with its registrations, which couriers keep.

    Raises WarehouseInUse for the company's default, and for one of a shipment or a pickup: also of
    a shipment that is booked at the same time.
    """
    try:
        with transaction.atomic():
            # The lock on the company keeps it from becoming the default meanwhile.
            Company.objects.select_for_update(no_key=True).get(pk=warehouse.company_id)
            _refuse_used(warehouse)
            record(warehouse, "delete", before={"name": warehouse.name})
            warehouse.delete()
    except (IntegrityError, ProtectedError):
        raise WarehouseInUse("a shipment was booked from it just now") from None


def _refuse_used(warehouse: Warehouse) -> None:
    if warehouse.is_stored_default():
        raise WarehouseInUse("it is the company's default: make another one the default first")
    if Shipment.objects.filter(warehouse=warehouse).exists():
        raise WarehouseInUse("shipments were booked from it")
    if WarehousePickup.objects.filter(warehouse=warehouse).exists():
        raise WarehouseInUse("pickups were asked for there")
