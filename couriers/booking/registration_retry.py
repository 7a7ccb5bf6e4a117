"""Has a courier asked once more to register a warehouse that it refused."""

from __future__ import annotations

from couriers.booking.registration import ensure_registered
from couriers.contract.registry import CourierFactory
from couriers.models import WarehouseRegistration
from couriers.models.transactions import refuse_open_transaction
from couriers.models.warehouse import RegistrationState


def retry_registration(registration_id: int) -> bool:
    """Register the warehouse of a failed registration at once; return False where it is not failed.

    Raises what `ensure_registered` raises. Raises InsideTransaction in a transaction.
    """
    refuse_open_transaction("retry_registration()")
    # From now on the refusal no longer holds. Only one of two people gets here.
    failed = WarehouseRegistration.objects.filter(
        pk=registration_id, state=RegistrationState.FAILED
    )
    if not failed.update(state=RegistrationState.PENDING):
        return False
    row = WarehouseRegistration.objects.select_related("account", "warehouse").get(
        pk=registration_id
    )
    adapter = CourierFactory.get_adapter(row.account)
    ensure_registered(adapter, row.warehouse.as_pickup())
    return True
