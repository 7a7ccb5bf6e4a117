"""The pool of numbers that were reserved with a courier: fetching, taking and giving back.

Numbers are fetched ahead of need, and each is for one attempt to book one shipment. A create call
with a reserved number may be repeated, because the courier has one shipment of a number.
"""

from __future__ import annotations

from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now
from prometheus_client import Counter

from couriers.booking.permission import accounts_with_rollouts, reason_not_enabled
from couriers.conf import tunables
from couriers.contract import checked_calls
from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.contract.errors import (
    CourierError,
    NoReservedId,
    NotDone,
    NotSent,
    ReservedIdRefused,
)
from couriers.contract.logs import get_logger
from couriers.contract.registry import CourierFactory
from couriers.models import CourierAccount, CourierCall, ReservedId, Shipment
from couriers.models.account import Rollout
from couriers.models.call_audit import audited_call
from couriers.models.claims import lock_rows, seconds_from_now
from couriers.models.reserved_id import ReservedIdState, has_numbers

log = get_logger(__name__)

RETRY_AFTER = 5.0  # seconds, for a client while a courier gives no numbers

FETCHED = Counter("shipcrowd_reserved_numbers", "Numbers reserved with couriers", ["courier"])


def reserves_ids(adapter: BaseCourierAdapter) -> bool:
    """Whether shipments of the courier are booked with reserved numbers."""
    return adapter.supports(Capability.RESERVE_IDS)


def take(shipment: Shipment) -> str:
    """Take a free number for the shipment's present attempt; return it.

    Call in the transaction that reserves the booking, after the shipment is stored. Raises
    NoReservedId where the pool is empty.
    """
    free = ReservedId.objects.filter(account=shipment.account_id, state=ReservedIdState.FREE)
    rows = lock_rows(free.order_by("use_from", "id"), limit=1)
    if not rows:
        raise NoReservedId(
            "no reserved number is left, and the next ones are being fetched",
            courier=shipment.courier_id,
            retry_after=RETRY_AFTER,
        )
    ReservedId.objects.filter(pk=rows[0].pk).update(
        state=ReservedIdState.TAKEN, shipment=shipment, attempt=shipment.attempt, state_at=Now()
    )
    return rows[0].number


def number_of(shipment: Shipment) -> str:
    """Return the number of the shipment's present attempt, "" where it has none."""
    taken = ReservedId.objects.filter(
        shipment=shipment, attempt=shipment.attempt, state=ReservedIdState.TAKEN
    )
    return taken.values_list("number", flat=True).first() or ""


def was_repeated(call: CourierCall) -> bool:
    """Whether the create call was made again after this one, by a process that found it in doubt.

    Call in the transaction that settles the attempt. It locks the shipment, as a repetition does
    before it stores its call.
    """
    if not has_numbers(call.shipment.courier_id if call.shipment else ""):
        return False
    Shipment.objects.select_for_update(of=("self",)).get(pk=call.shipment_id)
    later = CourierCall.objects.filter(shipment=call.shipment_id, attempt=call.attempt)
    return later.filter(pk__gt=call.pk, operation=call.operation).exists()


def give_back(shipment: Shipment, error: CourierError) -> None:
    """Free or retire the number of an attempt that has surely failed with this error.

    Nothing was done with it after NotSent and NotDone, so it is free again. One that the courier
    refused is retired, unless it was fetched so lately that this is to be expected. Any other
    refusal may have used it up. Call in the transaction that settles the attempt.
    """
    if not has_numbers(shipment.courier_id):
        return
    number = ReservedId.objects.filter(
        shipment=shipment, attempt=shipment.attempt, state=ReservedIdState.TAKEN
    )
    freed = {"state": ReservedIdState.FREE, "shipment": None, "attempt": None, "state_at": Now()}
    if isinstance(error, ReservedIdRefused):
        number.filter(use_from__gt=Now()).update(**freed, use_from=_use_from())
    elif isinstance(error, (NotSent, NotDone)):
        number.update(**freed)
    number.update(state=ReservedIdState.RETIRED, state_at=Now())


def retire(shipment: Shipment) -> None:
    """Retire the number of an attempt that a search has shown not to be booked."""
    ReservedId.objects.filter(
        shipment=shipment, attempt=shipment.attempt, state=ReservedIdState.TAKEN
    ).update(state=ReservedIdState.RETIRED, state_at=Now())


def fetch(account: CourierAccount) -> int:
    """Fetch one batch of numbers for the account; return how many of them are new.

    Raises NoReservedId where the courier gives none, whatever the reason: nothing was booked.
    Raises InsideTransaction if a transaction is open.
    """
    try:
        adapter = CourierFactory.get_adapter(account)
        with audited_call(account, Capability.RESERVE_IDS.value):
            numbers = checked_calls.reserve_ids(adapter, adapter.reserve_size)
        new = _store(account, numbers)
    except CourierError as error:
        raise NoReservedId(
            f"no number could be reserved: {error.message}",
            courier=account.courier_id,
            operation=Capability.RESERVE_IDS.value,
            code=error.code,
            courier_message=error.courier_message,
            retry_after=error.retry_after or RETRY_AFTER,
        ) from error
    FETCHED.labels(account.courier_id).inc(new)
    return new


def accounts_in_need() -> list[CourierAccount]:
    """Return the accounts that take bookings and have less than RESERVED_IDS_AHEAD free numbers."""
    codes = [
        code
        for code in CourierFactory.codes()
        if Capability.RESERVE_IDS in CourierFactory.adapter_class(code).capabilities
    ]
    if not codes:
        return []
    accounts = accounts_with_rollouts().filter(courier__in=codes, courier__is_enabled=True)
    open_accounts = accounts.exclude(rollout=Rollout.OFF).order_by("pk")
    return [
        account
        for account in open_accounts
        if reason_not_enabled(account) is None and free_count(account) < _ahead()
    ]


def free_count(account: CourierAccount) -> int:
    """Return how many free numbers the account has."""
    return ReservedId.objects.filter(account=account, state=ReservedIdState.FREE).count()


def fill(account: CourierAccount) -> int:
    """Fetch batches until the account has twice RESERVED_IDS_AHEAD free numbers; return how many.

    Stops at a batch that brings no new number. Raises NoReservedId.
    """
    fetched = 0
    while free_count(account) < 2 * _ahead():
        new = fetch(account)
        if not new:
            log.warning("reserved_numbers_repeated", account=account.pk)
            break
        fetched += new
    return fetched


def _store(account: CourierAccount, numbers: tuple[str, ...]) -> int:
    """Store the numbers that the courier never gave before; return how many there are.

    One that is known already is not used a second time, whoever has it.
    """
    known = set(
        ReservedId.objects.filter(courier=account.courier_id, number__in=numbers).values_list(
            "number", flat=True
        )
    )
    new = [number for number in dict.fromkeys(numbers) if number not in known]
    ReservedId.objects.bulk_create(
        [
            ReservedId(
                account=account,
                courier_id=account.courier_id,
                number=number,
                fetched_at=Now(),
                use_from=_use_from(),
                state_at=Now(),
            )
            for number in new
        ],
        ignore_conflicts=True,
    )
    if len(new) < len(numbers):
        log.warning("reserved_number_known", account=account.pk, count=len(numbers) - len(new))
    return len(new)


def _use_from() -> CombinedExpression:
    return seconds_from_now(tunables().RESERVED_ID_AGE)


def _ahead() -> int:
    return tunables().RESERVED_IDS_AHEAD
