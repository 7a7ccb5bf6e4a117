"""Register warehouses with Ekart, and store the alias that each has there.

An alias always stands for one address: a changed address is registered under a new alias, so that
no parcel is picked up where the merchant has moved out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.utils import timezone
from django.utils.text import slugify

from couriers.contract.accounts import Account
from couriers.contract.errors import CourierError, CredentialsRefused, RateLimited, Rejected
from couriers.contract.types import Pickup, WarehouseRegistration
from couriers.http.preparation import before_sending
from couriers.models.plugin_hooks import (
    RegistrationState,
    StoredRegistration,
    load_registration,
    store_registration,
)
from couriers.resilience.lock import LockTimeout, hold_lock
from couriers_ekart.conf import ekart_tunables

OPERATION = "add_address"


def alias_for(pickup: Pickup) -> str:
    """Return the alias to register the warehouse's present address under."""
    name = slugify(pickup.address.name)[:40] or "warehouse"
    return f"{name}-{pickup.warehouse_id[-8:]}-{pickup.address.fingerprint()[:6]}"


def ensure_registered(
    account: Account, pickup: Pickup, create: Callable[[Pickup], WarehouseRegistration]
) -> str:
    """Return the alias of the warehouse, registering it if needed; "" if Ekart refuses the address.

    `create` registers it at Ekart. Many bookings may need the same warehouse at once: the first
    registers it for all. A refusal holds for REGISTRATION_RETRY seconds, in which bookings are sent
    with the whole address. Raises NotSent or NotDone if Ekart cannot be asked now: registering can
    be repeated, and the booking itself was not sent. Raises CredentialsRefused if the login is
    refused.
    """
    with before_sending(account.courier_id, OPERATION, "the warehouse could not be registered"):
        return _ensure_registered(account, pickup, create)


def _ensure_registered(
    account: Account, pickup: Pickup, create: Callable[[Pickup], WarehouseRegistration]
) -> str:
    try:
        with hold_lock(f"register:{account.pk}:{pickup.warehouse_id}", life=60, wait=30):
            known = load_registration(account.pk, pickup.warehouse_id, pickup.address.fingerprint())
            if known is not None and known.reference != pickup.reference:
                return known.reference
            if known is not None and _is_recent_refusal(known):
                return ""
            reference = create(pickup).reference
            _store(account, pickup, RegistrationState.SYNCED, reference=reference)
            return reference
    except LockTimeout:
        raise RateLimited(
            "another process is still registering the warehouse",
            courier=account.courier_id,
            operation=OPERATION,
            retry_after=2,
        ) from None
    except CourierError as error:
        if _refuses_the_address(error):
            _store(account, pickup, RegistrationState.FAILED, reason=error.reason)
            return ""
        mark_unregistered(account, pickup, error)
        raise


def mark_unregistered(account: Account, pickup: Pickup, error: CourierError) -> None:
    """Store that Ekart does not have the warehouse's alias (yet). The next booking tries again.

    An alias that was stored is kept, to be registered once more.
    """
    _store(
        account,
        pickup,
        RegistrationState.PENDING,
        reference=pickup.reference,
        reason=error.reason,
    )


def _refuses_the_address(error: CourierError) -> bool:
    """Whether it is the address that Ekart refuses, and not the login or the account."""
    return (
        isinstance(error, Rejected)
        and not isinstance(error, CredentialsRefused)
        and error.operation == OPERATION
    )


def _is_recent_refusal(known: StoredRegistration) -> bool:
    retry_from = known.updated_at + dt.timedelta(seconds=ekart_tunables().REGISTRATION_RETRY)
    return known.state == RegistrationState.FAILED and timezone.now() < retry_from


def _store(
    account: Account,
    pickup: Pickup,
    state: RegistrationState,
    *,
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
