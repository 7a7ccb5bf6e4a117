"""Whether a company may make a new booking with a courier now.

Everything that leads to a new booking asks here: a booking by whichever way (protocol.py), a price
and a check of a pincode. What exists is never asked about here: its tracking and its actions go on
whatever the switches say, and its doubt is settled whatever the roll-out says (repeats.py).

A booking is permitted before the courier is asked anything, and once more in the transaction that
reserves it, unless that is less than CHECKED_FOR seconds later. So an operator's change holds for
every booking that is reserved CHECKED_FOR seconds after it. One that was reserved before goes on.
"""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet

from couriers.contract.errors import (
    CourierDisabled,
    CourierNotEnabled,
    FieldProblem,
    InvalidRequest,
)
from couriers.contract.registry import CourierFactory
from couriers.models import Company, Courier, CourierAccount
from couriers.models.account import Rollout
from couriers.models.compiled import CompiledQuery, Slot
from couriers.models.rollout import NotReached, not_reached

DISABLED_RETRY_AFTER = 300  # seconds
CHECKED_FOR = 1.0  # seconds for which a permission is believed


@dataclass(frozen=True, slots=True)
class Permitted:
    """When a booking was permitted, in seconds on the monotonic clock.

    `is_trial` is as in `check_bookings_are_on`.
    """

    at: float
    is_trial: bool = False

    @classmethod
    def now(cls, *, is_trial: bool = False) -> Permitted:
        """Return a permission that was given just now."""
        return cls(time.monotonic(), is_trial)

    @property
    def is_old(self) -> bool:
        """Whether an operator may have changed it since in a way that must be obeyed."""
        return time.monotonic() - self.at >= CHECKED_FOR


def accounts_with_rollouts() -> QuerySet[CourierAccount]:
    """Return accounts with their couriers and `is_named`, as `reason_not_enabled` reads them.

    Their secrets are not read, so they are not decrypted for each booking: only a new adapter
    needs them, and adapters are cached.
    """
    named = Courier.rollout_companies.through.objects.filter(
        courier_id=OuterRef("courier_id"), company_id=OuterRef("company_id")
    )
    accounts = CourierAccount.objects.select_related("courier").annotate(is_named=Exists(named))
    return accounts.defer("login", "webhook_secret", "previous_webhook_secret")


def account_of(company: Company, courier: str, *, is_test: bool) -> CourierAccount:
    """Return the company's account of a mode with a courier, without its secrets.

    Raises UnknownCourier where no plug-in registered the courier, and InvalidRequest where the
    company has no account with it.
    """
    CourierFactory.adapter_class(courier)
    account = _ACCOUNTS.first(company=company.pk, courier=courier, is_test=is_test)
    if account is None:
        kind = "test account" if is_test else "account"
        raise InvalidRequest(
            [FieldProblem("courier", f"{company.slug} has no {kind} with {courier}")],
            courier=courier,
        )
    return account


def reason_not_enabled(account: CourierAccount) -> NotReached | None:
    """Return why the company may not book with the courier by its roll-out; None where it may.

    The account is one of `accounts_with_rollouts`.
    """
    courier = account.courier
    return not_reached(
        courier.rollout,
        courier.rollout_percentage,
        company_id=account.company_id,
        courier=courier.pk,
        is_named=account.is_named,  # type: ignore[attr-defined]
    )


def check_company_is_enabled(account: CourierAccount) -> None:
    """Raise CourierNotEnabled where the courier's roll-out does not include the company."""
    if reason_not_enabled(account) is not None:
        raise CourierNotEnabled(
            f"new bookings with {account.courier.name} are not enabled for this company",
            courier=account.courier_id,
        )


def check_bookings_are_on(
    account: CourierAccount, order_number: str, *, is_trial: bool = False
) -> Permitted:
    """Raise CourierDisabled where the company may not book this order with the courier now.

    The error is CourierNotEnabled where that is by the courier's roll-out. The order number decides
    whether an order is in the share of a canary account, so the same order always gets the same
    answer. A trial is booked before a company may book: of the switches, only the courier's own
    holds for it.
    """
    if not account.courier.is_enabled:
        raise CourierDisabled(
            "new bookings are switched off",
            courier=account.courier_id,
            retry_after=DISABLED_RETRY_AFTER,
        )
    if is_trial:
        return Permitted.now(is_trial=True)
    check_company_is_enabled(account)
    percentile = zlib.crc32(order_number.encode()) % 100
    if account.rollout == Rollout.OFF or (
        account.rollout == Rollout.CANARY and percentile >= account.canary_percent
    ):
        raise CourierDisabled(
            f"this account is {account.get_rollout_display().lower()} for new bookings",
            courier=account.courier_id,
            retry_after=DISABLED_RETRY_AFTER,
        )
    return Permitted.now()


def check_again(permitted: Permitted, account: CourierAccount, order_number: str) -> None:
    """Raise CourierDisabled where a booking that was permitted is so no longer.

    Call in the transaction that reserves it. Makes a statement only where the permission is old,
    since preparing a booking usually takes milliseconds.
    """
    if permitted.is_old:
        check_bookings_are_on(
            accounts_with_rollouts().get(pk=account.pk), order_number, is_trial=permitted.is_trial
        )


_ACCOUNTS = CompiledQuery(
    CourierAccount,
    lambda: accounts_with_rollouts().filter(
        company_id=Slot("company"), courier_id=Slot("courier"), is_test=Slot("is_test")
    ),
)
