"""What says whether the platform is well: lists of rows, as the work lists, that nobody works off.

The rows of some follow from Redis. Without it they are not known, which is not the same as none.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from couriers.contract.statuses import STATUS_FACTS, Category, Status
from couriers.http.reports import failed_logins
from couriers.models import BookingAttempt, Courier, CourierAccount, Shipment
from couriers.models.account import Rollout
from couriers.models.rollout import CourierRollout
from couriers.operations.worklists import Worklist
from couriers.resilience.circuit_breaker import opened_circuits

FAILED_OVER_FOR = dt.timedelta(days=1)  # how long an order that went on to a courier is shown
FAILED_FOR = dt.timedelta(days=1)  # how long a failed booking is shown
LOST_FOR = dt.timedelta(days=30)  # how long a lost or damaged parcel is shown

# Lists that are counted from the facts of accounts: PostgreSQL alone cannot tell two of them.
COUNTED_APART = frozenset({"circuits", "logins", "with-callbacks"})

_lists: dict[str, Worklist] = {}


def register(one: Worklist) -> None:
    """Add a list. One that is registered again takes the place of the former."""
    _lists[one.name] = one


def registered() -> tuple[Worklist, ...]:
    """Return all lists, in the order in which they were registered."""
    return tuple(_lists.values())


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What the first page must know of an account to ask Redis about it."""

    pk: str
    company_id: int
    courier_id: str
    courier: str
    company: str
    is_off: bool
    accepted_at: dt.datetime | None
    token_ends_at: dt.datetime | None

    @property
    def circuit(self) -> str:
        """The name of the account's circuit."""
        return f"{self.courier_id}:{self.pk}"


def account_facts() -> list[AccountFacts]:
    """Return the facts of all accounts, in one statement."""
    rows = CourierAccount.objects.order_by("pk").values_list(
        "pk", "company_id", "courier_id", "courier__name", "company__name", "rollout",
        "callback_tally__accepted_at", "token__expires_at",
    )  # fmt: skip
    return [AccountFacts(*row[:5], row[5] == Rollout.OFF, *row[6:]) for row in rows]


def open_circuits(accounts: list[AccountFacts]) -> dict[str, float]:
    """Return since when the circuit of each of the accounts is open, by account.

    Times are in seconds (UTC). Raises RedisUnavailable.
    """
    by_name = {one.circuit: one.pk for one in accounts}
    return {by_name[name]: at for name, at in opened_circuits(list(by_name)).items()}


def logins_failed(accounts: list[AccountFacts]) -> dict[str, float]:
    """Return when the last login failed of those accounts that are on and whose last login did.

    Times are in seconds (UTC), by account. Raises RedisUnavailable.
    """
    failed = failed_logins()
    return {one.pk: failed[one.pk] for one in accounts if one.pk in failed and not one.is_off}


def _failed_over() -> Q:
    """Orders of the last day that another courier was asked for before the present one."""
    earlier = BookingAttempt.objects.filter(shipment=OuterRef("pk"))
    other = earlier.exclude(courier=OuterRef("courier"))
    recent = Q(attempt__gt=1, created_at__gt=timezone.now() - FAILED_OVER_FOR)
    return recent & Q(Exists(other))


def _lost() -> Q:
    """Parcels that went wrong: lost and damaged ones of late, and failed ways back."""
    gone = sorted(
        status
        for status, facts in STATUS_FACTS.items()
        if facts.needs_action and facts.category is Category.CLOSED
    )
    recent = Q(status__in=gone, status_at__gt=timezone.now() - LOST_FOR)
    return recent | Q(status=Status.RTO_FAILED)


for _one in (
    Worklist(
        "lost", "Lost, damaged, RTO failed", Shipment, _lost, "company", "status_at", "is_test"
    ),
    Worklist(
        "failed-bookings",
        "Bookings failed, 24 h",
        Shipment,
        lambda: Q(status=Status.FAILED, created_at__gt=timezone.now() - FAILED_FOR),
        "company",
        "created_at",
        "is_test",
    ),
    Worklist(
        "failed-over",
        "Tried at a second courier, 24 h",
        Shipment,
        _failed_over,
        "company",
        "created_at",
        "is_test",
    ),
    Worklist(
        "refused-callbacks",
        "Accounts with refused callbacks",
        CourierAccount,
        # As CallbackTally.is_refused says.
        lambda: Q(callback_tally__refused_at__isnull=False)
        & (
            Q(callback_tally__accepted_at__isnull=True)
            | Q(callback_tally__accepted_at__lt=F("callback_tally__refused_at"))
        ),
        "company",
        "callback_tally__refused_at",
    ),
    Worklist(
        "circuits",
        "Circuits open",
        CourierAccount,
        lambda: Q(pk__in=list(open_circuits(account_facts()))),
        "company",
        "updated_at",
    ),
    Worklist(
        "logins",
        "Logins failed",
        CourierAccount,
        lambda: Q(pk__in=list(logins_failed(account_facts()))),
        "company",
        "updated_at",
    ),
    Worklist(
        "with-callbacks",
        "Accounts with good callbacks",
        CourierAccount,
        lambda: Q(callback_tally__accepted_at__isnull=False),
        "company",
        "callback_tally__accepted_at",
    ),
    Worklist(
        "accounts-restricted",
        "Accounts in canary",
        CourierAccount,
        lambda: Q(rollout=Rollout.CANARY),
        "company",
        "updated_at",
    ),
    Worklist(
        "couriers-restricted",
        "Couriers off or in canary",
        Courier,
        lambda: Q(is_enabled=False) | ~Q(rollout=CourierRollout.ALL),
        "",
        "updated_at",
    ),
):  # fmt: skip
    register(_one)
