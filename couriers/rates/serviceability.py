"""What couriers do at a pincode: from their loaded list while it is fresh, else from a call.

A pincode that the list lacks is asked for, and an outage is raised: neither is ever read as "not
serviceable".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice

from django.db.models import Case, DecimalField, F, QuerySet, Subquery, Value, When
from django.utils import timezone

from couriers.conf import tunables
from couriers.contract import india
from couriers.contract.registry import CourierFactory
from couriers.contract.types import Serviceability
from couriers.models import CourierAccount, ServiceablePincode

BATCH = 1000
_FIELDS = (
    "serviceable", "cod", "max_cod_amount", "forward_pickup", "forward_drop", "reverse_pickup",
    "reverse_drop", "city", "state", "remark",
)  # fmt: skip
_MONEY: DecimalField[Decimal, Decimal] = DecimalField(max_digits=12, decimal_places=2)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of a courier's list: lines kept, lines that name no pincode, lines dropped."""

    pincodes: int
    unreadable: int
    dropped: int


def at_pincode(account: CourierAccount, pincode: str) -> Serviceability:
    """What the account's courier does at a pincode. Raises what the courier says."""
    line = _fresh(account.courier_id).filter(pincode=pincode).first()
    if line is not None:
        return line.as_serviceability()
    return CourierFactory.get_adapter(account).check_serviceability(pincode)


def known_cod_limit(courier: str, pincode: str) -> Subquery:
    """The most that may be collected at a pincode in rupees, as a part of another query.

    0 where the courier collects nothing there, NULL where its list does not tell.
    """
    limit = Case(When(cod=False, then=Value(Decimal(0))), default=F("max_cod_amount"))
    lines = _fresh(courier).filter(pincode=pincode)
    return Subquery(lines.values_list(limit)[:1], output_field=_MONEY)


def load(account: CourierAccount, step: Callable[[], None] = lambda: None) -> Loaded:
    """Load the whole list of the account's courier; `step` is told of every line.

    Lines that the courier no longer has are dropped once the new list is whole: one that breaks
    off raises what the courier says, and leaves the rest of the old one.
    """
    started = timezone.now()
    kept = unreadable = 0
    lines = CourierFactory.get_adapter(account).list_serviceability()
    while batch := list(islice(lines, BATCH)):
        rows = {}
        for line in batch:
            step()
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
        kept += len(rows)
    old = ServiceablePincode.objects.filter(courier=account.courier_id, loaded_at__lt=started)
    dropped = old.delete()[0] if kept else 0
    return Loaded(kept, unreadable, dropped)


def _fresh(courier: str) -> QuerySet[ServiceablePincode]:
    days = dt.timedelta(days=tunables().SERVICEABILITY_FRESH_DAYS)
    return ServiceablePincode.objects.filter(courier=courier, loaded_at__gte=timezone.now() - days)


def _row(courier: str, line: Serviceability, loaded_at: dt.datetime) -> ServiceablePincode:
    values = {name: getattr(line, name) for name in _FIELDS}
    values |= {"city": line.city[:100], "state": line.state[:100], "remark": line.remark[:300]}
    return ServiceablePincode(
        courier_id=courier, pincode=line.pincode, loaded_at=loaded_at, **values
    )
