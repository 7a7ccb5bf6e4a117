"""Which warehouses Ekart knows, and by what alias: written down, never derived again."""

from __future__ import annotations

import hashlib
import json

from django.utils.text import slugify

from couriers.models import CourierAccount, WarehouseRegistration
from couriers.models.warehouse import RegistrationState
from couriers.types import Address, Pickup


def alias_for(pickup: Pickup) -> str:
    """The alias that a warehouse is registered under for the first time."""
    return f"{slugify(pickup.address.name)[:40] or 'warehouse'}-{pickup.warehouse_id[-8:]}"


def address_hash(address: Address) -> str:
    """What tells a warehouse's address from the one that was registered."""
    text = json.dumps(
        [address.name, address.phone, address.address, address.city, address.state, address.pincode]
    )
    return hashlib.sha256(text.encode()).hexdigest()


def reference_of(account: CourierAccount, pickup: Pickup) -> str:
    """The alias that is stored for the warehouse by now, "" where there is none."""
    row = WarehouseRegistration.objects.filter(
        account=account, warehouse_id=pickup.warehouse_id
    ).first()
    return row.reference if row else ""


def remember(account: CourierAccount, pickup: Pickup, reference: str, failure: str = "") -> None:
    """Store how a registration ended: the courier's reference, or why it has none."""
    WarehouseRegistration.objects.update_or_create(
        account=account,
        warehouse_id=pickup.warehouse_id,
        defaults={
            "reference": reference,
            "state": RegistrationState.FAILED if failure else RegistrationState.SYNCED,
            "reason": failure[:500],
            "address_hash": address_hash(pickup.address),
        },
    )
