"""Registers warehouses with couriers before bookings, and keeps the reference of each there.

A reference always stands for one address: a changed address is registered anew, so that no parcel
is picked up where the merchant has moved out. Many bookings may need the same warehouse at once:
the first registers it for all.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable

from django.utils import timezone

from couriers.conf import tunables
from couriers.contract.accounts import Account
from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.contract.checked_calls import call_adapter
from couriers.contract.errors import (
    CourierError,
    CredentialsRefused,
    FieldProblem,
    InvalidRequest,
    NotDone,
    NotSent,
    RateLimited,
    Rejected,
    UnknownPickupAlias,
    WarehouseInDoubt,
    plugin_fault,
)
from couriers.contract.logs import get_logger
from couriers.contract.types import Booking, Pickup, ShipmentRequest
from couriers.contract.types import WarehouseRegistration as Registered
from couriers.models import WarehouseRegistration
from couriers.models.warehouse import REASON_LENGTH, REFERENCE_LENGTH, RegistrationState
from couriers.resilience import deadline
from couriers.resilience.lock import LockTimeout, hold_lock

log = get_logger(__name__)

OPERATION = Capability.CREATE_WAREHOUSE.value
# Why a registration is in doubt while its call runs; it is shown to people, no code compares it.
UNDER_WAY = "The courier is being asked. If this stays, the answer was lost."


def book_registered(
    adapter: BaseCourierAdapter,
    request: ShipmentRequest,
    create: Callable[[ShipmentRequest], Booking],
) -> Booking:
    """Make the create call, with the courier's reference of the warehouse where it needs one.

    The reference comes with the request, so a registered warehouse costs no statement. If the
    courier no longer knows it, the warehouse is registered again and the request sent once more.
    Raises what `ensure_registered` and the call raise.
    """
    if not adapter.registers_warehouses:
        return create(request)
    if not request.pickup.reference:
        request = _registered(adapter, request)
    try:
        return create(request)
    except UnknownPickupAlias:
        if not request.pickup.reference:
            raise
    request = _registered(adapter, request)
    try:
        return create(request)
    except UnknownPickupAlias as error:
        _after_unknown(adapter, request.pickup, error)
        raise


def _registered(adapter: BaseCourierAdapter, request: ShipmentRequest) -> ShipmentRequest:
    """Return the request with the reference of its warehouse, if there is time to send it."""
    reference = ensure_registered(adapter, request.pickup)
    deadline.check()
    pickup = dataclasses.replace(request.pickup, reference=reference)
    return dataclasses.replace(request, pickup=pickup)


def ensure_registered(adapter: BaseCourierAdapter, pickup: Pickup) -> str:
    """Return the courier's reference of the warehouse, and register the warehouse if needed.

    `pickup.reference` is one that the courier no longer knows, "" for none.

    A refusal holds for REGISTRATION_RETRY seconds. In that time it raises InvalidRequest, or
    returns "" where the courier takes bookings with the whole address instead. Raises NotSent or
    NotDone if the courier cannot be asked now, WarehouseInDoubt if a person must give the
    reference, and CredentialsRefused if the login is refused. The booking itself was not sent.
    """
    try:
        with hold_lock(f"register:{adapter.account.pk}:{pickup.warehouse_id}", life=60, wait=30):
            known = _find(adapter.account, pickup)
            if known is not None and known.state == RegistrationState.IN_DOUBT:
                raise _in_doubt(adapter)
            if known is not None and known.reference not in ("", pickup.reference):
                return known.reference
            if known is not None and _is_recent_refusal(known):
                return _refused(adapter, known.reason)
            return _register(adapter, pickup)
    except LockTimeout:
        raise RateLimited(
            "another process is still registering the warehouse",
            courier=adapter.code,
            operation=OPERATION,
            retry_after=2,
        ) from None
    except (NotSent, NotDone, Rejected):
        raise
    except Exception as error:
        log.exception("warehouse_not_registered", courier=adapter.code)
        raise _not_registered(adapter, plugin_fault(error, adapter.code)) from error


def _register(adapter: BaseCourierAdapter, pickup: Pickup) -> str:
    """Register the warehouse with the courier. The caller holds the lock."""
    account = adapter.account
    if not adapter.warehouse_repeatable:
        # A process that dies during the call leaves this behind, so that nobody repeats it.
        _store(account, pickup, RegistrationState.IN_DOUBT, reason=UNDER_WAY)
    try:
        answer: Registered = call_adapter(adapter, Capability.CREATE_WAREHOUSE, pickup)
        reference = answer.reference
        if not 0 < len(reference) <= REFERENCE_LENGTH:
            raise ValueError("the adapter returned no usable reference")
    except (NotSent, NotDone, CredentialsRefused) as error:
        # It says nothing of the address. A reference that was stored is kept, to be registered
        # once more.
        _store(account, pickup, RegistrationState.PENDING, pickup.reference, error.reason)
        raise
    except Rejected as error:
        _store(account, pickup, RegistrationState.FAILED, reason=error.reason)
        return _refused(adapter, error.reason)
    except Exception as error:
        raise _after_unknown(adapter, pickup, error) from error
    _store(account, pickup, RegistrationState.SYNCED, reference)
    return reference


def _after_unknown(adapter: BaseCourierAdapter, pickup: Pickup, error: Exception) -> NotSent:
    """Store that the warehouse may be registered or not, and return the error for the booking."""
    if not isinstance(error, CourierError):
        log.error("adapter_failed", courier=adapter.code, operation=OPERATION, exc_info=error)
        error = plugin_fault(error, adapter.code)
    if not adapter.warehouse_repeatable:
        _store(adapter.account, pickup, RegistrationState.IN_DOUBT, reason=error.reason)
        return _in_doubt(adapter)
    _store(adapter.account, pickup, RegistrationState.PENDING, pickup.reference, error.reason)
    return _not_registered(adapter, error)


def _not_registered(adapter: BaseCourierAdapter, error: CourierError) -> NotSent:
    return NotSent(
        f"the warehouse could not be registered ({error.message})",
        courier=adapter.code,
        operation=OPERATION,
        retry_after=error.retry_after,
    )


def _in_doubt(adapter: BaseCourierAdapter) -> WarehouseInDoubt:
    return WarehouseInDoubt(
        f"it is not known whether {adapter.name} has registered the warehouse: an operator must "
        f"enter its reference",
        courier=adapter.code,
        operation=OPERATION,
        retry_after=tunables().REGISTRATION_RETRY,
    )


def _refused(adapter: BaseCourierAdapter, reason: str) -> str:
    """Return "" where a booking is sent without a registration; else raise InvalidRequest."""
    if adapter.books_without_registration:
        return ""
    raise InvalidRequest(
        [FieldProblem("warehouse", f"is refused by {adapter.name} ({reason})")],
        courier=adapter.code,
        operation=OPERATION,
    )


def _find(account: Account, pickup: Pickup) -> WarehouseRegistration | None:
    """Return the registration of the warehouse's present address; that of a former one is none."""
    return WarehouseRegistration.objects.filter(
        account_id=account.pk,
        warehouse_id=pickup.warehouse_id,
        address_hash=pickup.address.fingerprint(),
    ).first()


def _is_recent_refusal(known: WarehouseRegistration) -> bool:
    retry_from = known.updated_at + dt.timedelta(seconds=tunables().REGISTRATION_RETRY)
    return known.state == RegistrationState.FAILED and timezone.now() < retry_from


def _store(
    account: Account,
    pickup: Pickup,
    state: RegistrationState,
    reference: str = "",
    reason: str = "",
) -> None:
    """Store the warehouse's registration; it replaces an earlier one."""
    WarehouseRegistration.objects.update_or_create(
        account_id=account.pk,
        warehouse_id=pickup.warehouse_id,
        defaults={
            "reference": reference,
            "state": state,
            "reason": reason[:REASON_LENGTH],
            "address_hash": pickup.address.fingerprint(),
        },
    )
