"""What couriers offer at a pincode: from the loaded list while it is fresh, else from a call.

For a pincode that is not on the list the courier is called. An outage raises an error. Neither
means "not serviceable". A courier that serves lanes is asked about the way from an origin: its
answers are cached by lane, and no list of pincodes is used.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice

from django.db.models import Case, DecimalField, F, QuerySet, Subquery, Value, When
from django.utils import timezone
from pydantic import TypeAdapter

from couriers.conf import tunables
from couriers.contract import india
from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.contract.checked_calls import call_adapter
from couriers.contract.errors import FieldProblem, InvalidRequest
from couriers.contract.registry import CourierFactory
from couriers.contract.types import Serviceability
from couriers.models import CourierAccount, ServiceablePincode, Warehouse
from couriers.models.compiled import Slot
from couriers.rates.cache import cached

BATCH_SIZE = 1000  # lines of a list that one statement stores
_FIELDS = (
    "serviceable", "cod", "max_cod_amount", "forward_pickup", "forward_drop", "reverse_pickup",
    "reverse_drop", "city", "state", "remark",
)  # fmt: skip
_ANSWER = TypeAdapter(Serviceability)
_MONEY: DecimalField[Decimal, Decimal] = DecimalField(max_digits=12, decimal_places=2)


@dataclass(frozen=True, slots=True)
class LoadResult:
    """The result of loading a list, as numbers of lines.

    `pincodes` were stored. `unreadable` had no valid pincode. `dropped` are old lines that the new
    list lacks.
    """

    pincodes: int
    unreadable: int
    dropped: int


@dataclass(frozen=True, slots=True)
class Lane:
    """The way of a parcel from one pincode to another."""

    origin: str
    pincode: str


def check_pincode(
    account: CourierAccount, pincode: str, origin: str = ""
) -> tuple[Serviceability, str]:
    """Return what the account's courier offers at a pincode, and the origin that it is asked for.

    The origin is that of the caller, else the pincode of the company's default warehouse; "" where
    the courier does not ask for one. Raises InvalidRequest naming `origin` where it needs one and
    there is no default warehouse, and the courier's errors.
    """
    adapter = CourierFactory.get_adapter(account)
    if adapter.serves_lanes:
        origin = origin or default_origin(account)
        return cached_answer(account, adapter, pincode, origin), origin
    return stored_answer(account.courier_id, pincode) or ask(adapter, pincode, ""), ""


def cached_answer(
    account: CourierAccount, adapter: BaseCourierAdapter, pincode: str, origin: str
) -> Serviceability:
    """Return what `ask` returns, from Redis where it is cached. Raises the courier's errors."""
    lane = Lane(origin, pincode)
    return cached("lanes", account, lane, _ANSWER, lambda: ask(adapter, pincode, origin))


def ask(adapter: BaseCourierAdapter, pincode: str, origin: str) -> Serviceability:
    """Ask the courier about a pincode, from the origin where it serves lanes. Raises its errors."""
    asked = {"origin": origin} if adapter.serves_lanes else {}
    answer: Serviceability = call_adapter(
        adapter, Capability.CHECK_SERVICEABILITY, pincode, **asked
    )
    return answer


def default_origin(account: CourierAccount) -> str:
    """Return the pincode of the company's default warehouse in the account's mode.

    Raises InvalidRequest naming `origin` where there is none.
    """
    warehouses = Warehouse.objects.filter(
        company_id=account.company_id, is_test=account.is_test, is_default=True
    )
    origin: str | None = warehouses.values_list("pincode", flat=True).first()
    if not origin:
        message = "is missing: the company has no default warehouse"
        raise InvalidRequest([FieldProblem("origin", message)], courier=account.courier_id)
    return origin


def stored_answer(courier: str, pincode: str) -> Serviceability | None:
    """Return the pincode's line of the courier's list; None if the list is old or lacks it."""
    line = _fresh_lines(courier).filter(pincode=pincode).first()
    return None if line is None else line.as_serviceability()


def stored_answers(
    couriers: Iterable[str], pincodes: Iterable[str]
) -> dict[tuple[str, str], Serviceability]:
    """Return the lines of the couriers' lists for the pincodes, by courier and pincode.

    An old list, and one that lacks a pincode, have none. One statement.
    """
    lines = ServiceablePincode.objects.filter(
        courier__in=list(couriers), pincode__in=list(pincodes), loaded_at__gte=oldest_fresh()
    )
    return {(line.courier_id, line.pincode): line.as_serviceability() for line in lines}


def known_cod_limit(courier: Slot, pincode: Slot, oldest: Slot) -> Subquery:
    """Return a subquery of the largest COD amount in rupees at a pincode.

    It reads the line of the courier's list that was loaded at `oldest` or later. It gives 0 where
    the courier has no COD there, and NULL where its list names no limit.
    """
    limit = Case(When(cod=False, then=Value(Decimal(0))), default=F("max_cod_amount"))
    lines = ServiceablePincode.objects.filter(
        courier_id=courier, pincode=pincode, loaded_at__gte=oldest
    ).order_by()
    return Subquery(lines.values_list(limit)[:1], output_field=_MONEY)


def refuse_above_limit(courier: str, pincode: str, amount: Decimal, limit: Decimal | None) -> None:
    """Raise InvalidRequest for a COD amount above the limit at the pincode, both in rupees.

    An amount of 0 collects nothing, and a limit of None is not known.
    """
    if limit is not None and amount > max(limit, Decimal(0)):
        message = f"is more than the {limit:.2f} rupees that {courier} collects at {pincode}"
        raise InvalidRequest([FieldProblem("cod_amount", message)], courier=courier)


def check_cod_limit(courier: str, pincode: str, amount: Decimal) -> None:
    """Raise InvalidRequest for a COD amount in rupees above the limit in the courier's list."""
    line = _fresh_lines(courier).filter(pincode=pincode).values_list("cod", "max_cod_amount")
    for cod, limit in line:
        refuse_above_limit(courier, pincode, amount, Decimal(0) if cod is False else limit)


def load_pincodes(
    account: CourierAccount, on_line: Callable[[], None] = lambda: None
) -> LoadResult:
    """Load the whole list of the account's courier. `on_line` is called for each line.

    Once the new list is complete, old lines that it lacks are dropped. If it breaks off, the
    courier's error is raised and the rest of the old list stays. An empty list drops nothing.
    """
    started = timezone.now()
    stored = unreadable = 0
    lines = call_adapter(CourierFactory.get_adapter(account), Capability.BULK_SERVICEABILITY)
    while batch := list(islice(lines, BATCH_SIZE)):
        rows = {}
        for line in batch:
            on_line()
            if india.is_pincode(line.pincode):
                rows[line.pincode] = _row(account.courier_id, line, started)
            else:
                unreadable += 1
        ServiceablePincode.objects.bulk_create(
            rows.values(),
            update_conflicts=True,
            unique_fields=["courier", "pincode"],
            update_fields=[*_FIELDS, "loaded_at"],
        )
        stored += len(rows)
    old = ServiceablePincode.objects.filter(courier=account.courier_id, loaded_at__lt=started)
    dropped = old.delete()[0] if stored else 0
    return LoadResult(stored, unreadable, dropped)


def oldest_fresh() -> dt.datetime:
    """Return the time since which a line must have been loaded to be believed."""
    return timezone.now() - dt.timedelta(days=tunables().SERVICEABILITY_FRESH_DAYS)


def _fresh_lines(courier: str) -> QuerySet[ServiceablePincode]:
    return ServiceablePincode.objects.filter(courier=courier, loaded_at__gte=oldest_fresh())


def _row(courier: str, line: Serviceability, loaded_at: dt.datetime) -> ServiceablePincode:
    values = {name: getattr(line, name) for name in _FIELDS}
    values |= {"city": line.city[:100], "state": line.state[:100], "remark": line.remark[:300]}
    return ServiceablePincode(
        courier_id=courier, pincode=line.pincode, loaded_at=loaded_at, **values
    )
