"""Which warehouses Ekart knows, and by what alias: written down, never derived again.

An alias stands for one address for ever: a changed address is registered under a new one, so that
no parcel is fetched from where the merchant has moved out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.utils import timezone
from django.utils.text import slugify

from couriers.contract.accounts import Account
from couriers.contract.errors import CourierError, RateLimited, Rejected
from couriers.contract.types import Pickup, WarehouseRegistration
from couriers.models.plugin_hooks import (
    RegistrationState,
    StoredRegistration,
    load_registration,
    store_registration,
)
from couriers.resilience.lock import LockTimeout, exclusive
from couriers_ekart.conf import ekart_tunables
from couriers_ekart.wire.unsent import before_sending

OPERATION = "add_address"


def alias_for(pickup: Pickup) -> str:
    """The alias that a warehouse's present address is registered under."""
    name = slugify(pickup.address.name)[:40] or "warehouse"
    return f"{name}-{pickup.warehouse_id[-8:]}-{pickup.address.fingerprint()[:6]}"


def register(
    account: Account, pickup: Pickup, create: Callable[[Pickup], WarehouseRegistration]
) -> str:
    """The alias of the warehouse, now registered; "" where Ekart refuses to register it.

    Many bookings may find it unregistered at once: the first registers it for all. A refusal is
    believed for a while, so that the bookings meanwhile go with the whole address at once.
    Raises NotSent or NotDone where Ekart cannot be asked now: registering is harmless to repeat,
    and the booking itself was not sent. Raises CredentialsRefused where the login is refused.
    """
    with before_sending(OPERATION, "the warehouse could not be registered"):
        return _register(account, pickup, create)


def _register(
    account: Account, pickup: Pickup, create: Callable[[Pickup], WarehouseRegistration]
) -> str:
    try:
        with exclusive(f"register:{account.pk}:{pickup.warehouse_id}", life=60, wait=30):
            known = load_registration(account.pk, pickup.warehouse_id, pickup.address.fingerprint())
            if known is not None and known.reference != pickup.reference:
                return known.reference
            if known is not None and _refused_recently(known):
                return ""
            reference = create(pickup).reference
            _remember(account, pickup, RegistrationState.SYNCED, reference)
            return reference
    except LockTimeout:
        raise RateLimited(
            "the warehouse is being registered",
            courier=account.courier_id,
            operation=OPERATION,
            retry_after=2,
        ) from None
    except CourierError as error:
        if isinstance(error, Rejected) and error.operation == OPERATION:
            _remember(account, pickup, RegistrationState.FAILED, reason=str(error))
            return ""
        # A refused login is one of these: it does not mean that the address is refused.
        if not pickup.reference:
            _remember(account, pickup, RegistrationState.PENDING, reason=str(error))
        raise


def _refused_recently(known: StoredRegistration) -> bool:
    pause = dt.timedelta(seconds=ekart_tunables().REGISTRATION_RETRY)
    return known.state == RegistrationState.FAILED and known.updated_at > timezone.now() - pause


def _remember(
    account: Account,
    pickup: Pickup,
    state: RegistrationState,
    reference: str = "",
    reason: str = "",
) -> None:
    store_registration(
        account.pk,
        pickup.warehouse_id,
        pickup.address.fingerprint(),
        state=state,
        reference=reference,
        reason=reason,
    )
