"""The work lists: rows that somebody must do something about, each defined here once.

The first page's tiles, the sidebar's badges and the lists themselves all take their rows from here,
so that they show the same numbers. Other apps register lists of their own.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, Min, Model, OuterRef, Q, QuerySet, Value
from django.utils import timezone

from couriers.contract.statuses import UNDER_WAY, Status
from couriers.models import (
    BulkOrder,
    ManifestChunk,
    Scan,
    Shipment,
    ShipmentAction,
    ShipmentFlag,
    WarehouseRegistration,
)
from couriers.models.asked import AskedState
from couriers.models.job import OrderOutcome
from couriers.models.manifest import ManifestState
from couriers.models.warehouse import RegistrationState
from couriers.operations.staff import visible_to

ACCEPTED_LONG = dt.timedelta(days=1)  # an accepted action should have ended by then
BULK_AGE = dt.timedelta(days=30)  # a failed order of a bulk job is older news than work after it


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows a list has, and the time from which the age of its oldest row counts."""

    count: int = 0
    oldest: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Worklist:
    """A list of rows of one model. `select` returns what makes a row belong to it, as of now.

    `company` is the path from a row to its company, or "" for rows that belong to none. `since` is
    that to the time from which its age counts. `is_test` is that to whether it is a test row, which
    is on no list, or "" where there are none or they count.
    """

    name: str
    title: str
    model: type[Model]
    select: Callable[[], Q]
    company: str
    since: str
    is_test: str = ""

    @property
    def permission(self) -> str:
        """The permission that a user needs to see the list."""
        return f"{self.model._meta.app_label}.view_{self.model._meta.model_name}"

    def rows(self, user: Any) -> QuerySet[Any]:
        """The rows that the user may see, the oldest first."""
        found = self.among(self.model._default_manager.all(), user)
        return found.order_by(self.since, "pk")

    def among(self, rows: QuerySet[Any], user: Any) -> QuerySet[Any]:
        """Those of the rows of the model that are on the list and that the user may see."""
        found = rows.filter(self.select())
        if self.is_test:
            found = found.filter(**{self.is_test: False})
        return visible_to(user, found, self.company) if self.company else found

    def count(self, user: Any) -> int:
        """How many rows the user may see."""
        return self.rows(user).count()


_worklists: dict[str, Worklist] = {}


def register(worklist: Worklist) -> None:
    """Add a list. One that is registered again takes the place of the former."""
    _worklists[worklist.name] = worklist


def registered() -> tuple[Worklist, ...]:
    """Return all lists, in the order in which they were registered."""
    return tuple(_worklists.values())


def worklist(name: str) -> Worklist:
    """Return the list of this name. Raises KeyError."""
    return _worklists[name]


def tallies(user: Any, lists: Collection[Worklist]) -> Mapping[str, Tally]:
    """Count the rows of the lists that the user may see, by the lists' names, in one statement."""
    if not lists:
        return {}
    first, *others = (
        one.rows(user)
        .order_by()
        .annotate(on_list=Value(one.name))
        .values("on_list")
        .annotate(count=Count("*"), oldest=Min(one.since))
        .values_list("on_list", "count", "oldest")
        for one in lists
    )
    found = first.union(*others, all=True)
    none = {one.name: Tally() for one in lists}
    return none | {name: Tally(count, oldest) for name, count, oldest in found}


def _of_status(*statuses: Status) -> Callable[[], Q]:
    return lambda: Q(status__in=sorted(statuses)) if len(statuses) > 1 else Q(status=statuses[0])


def _actions() -> Q:
    """Actions of shipments under way that nobody knows the end of, or that took too long.

    An unknown one has been dealt with once the shipment has a later action.
    """
    now = timezone.now()
    later = ShipmentAction.objects.filter(
        shipment=OuterRef("shipment"), asked_at__gt=OuterRef("asked_at")
    )
    unknown = Q(state=AskedState.UNKNOWN) & Q(~Exists(later))
    begun = Q(day__isnull=True) | Q(day__lt=timezone.localdate(now))
    late = Q(state=AskedState.ACCEPTED, asked_at__lt=now - ACCEPTED_LONG) & begun
    return Q(shipment__status__in=sorted(UNDER_WAY)) & (unknown | late)


def _bulk_orders() -> Q:
    """Orders of bulk jobs that failed, and have not been booked since."""
    booked = Shipment.objects.live().filter(
        company=OuterRef("job__company"),
        is_test=OuterRef("job__is_test"),
        order_number=OuterRef("order_number"),
    )
    recent = Q(finished_at__gt=timezone.now() - BULK_AGE)
    return Q(outcome=OrderOutcome.FAILED) & recent & Q(~Exists(booked))


for _one in (
    Worklist(
        "doubts", "In doubt", Shipment, _of_status(Status.IN_DOUBT), "company", "created_at",
        "is_test",
    ),
    Worklist(
        "ndr", "NDR", Shipment, _of_status(Status.UNDELIVERED), "company", "status_at", "is_test"
    ),
    Worklist(
        "not-picked",
        "Not picked",
        Shipment,
        _of_status(Status.NOT_PICKED, Status.PICKUP_CANCELLED),
        "company",
        "status_at",
        "is_test",
    ),
    Worklist(
        "flags",
        "Flags",
        ShipmentFlag,
        lambda: Q(cleared_at__isnull=True),
        "shipment__company",
        "raised_at",
        "shipment__is_test",
    ),
    Worklist(
        "chunks",
        "Manifest chunks failed",
        ManifestChunk,
        lambda: Q(state=ManifestState.FAILED),
        "manifest__company",
        "finished_at",
        "manifest__account__is_test",
    ),
    Worklist(
        "registrations",
        "Warehouse registrations failed",
        WarehouseRegistration,
        lambda: Q(state__in=[RegistrationState.FAILED, RegistrationState.IN_DOUBT]),
        "warehouse__company",
        "updated_at",
        "warehouse__is_test",
    ),
    Worklist(
        "actions", "Actions without an end", ShipmentAction, _actions, "shipment__company",
        "asked_at", "shipment__is_test",
    ),
    Worklist(
        "bulk", "Bulk orders failed", BulkOrder, _bulk_orders, "job__company", "finished_at",
        "job__is_test",
    ),
    Worklist(
        "unknown-statuses",
        "Unknown statuses",
        Scan,
        lambda: Q(status=""),
        "shipment__company",
        "received_at",
        "shipment__is_test",
    ),
):  # fmt: skip
    register(_one)
