"""Which shipments an action is for: some that were ticked, or all rows of a work list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest

from couriers.admin.worklists.looks import Looks, looks_of
from couriers.contract.actions import ActionKind
from couriers.fulfilment.rules import why_not
from couriers.models import Shipment, ShipmentAction
from couriers.models.asked import OPEN
from couriers.models.operator_job import OperatorAct
from couriers.models.seen import seen_of
from couriers.operations.staff import visible_to
from couriers.operations.worklist_filters import filtered, filters_of
from couriers.operations.worklists import Worklist, worklist

MAX_CHOSEN = 200  # ticked rows; more of them are chosen as a whole list
WORKLIST = "all"  # the parameter that names the list
CHOOSING = {"ids", "rows", WORKLIST}  # the parameters that choose something
NOTHING_CHOSEN = "Tick at least one row first."


@dataclass(frozen=True, slots=True)
class Refused:
    """A chosen shipment that the action is not for, and why."""

    shipment: Shipment
    why: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was chosen. For a whole list there are no shipments, and `count` says how many rows.

    `missing` counts the ids that are of no shipment which the user may see.
    """

    able: list[Shipment] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    seen: Mapping[str, str] = field(default_factory=dict)
    missing: int = 0
    count: int = 0
    worklist: Worklist | None = None
    filters: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_single(self) -> bool:
        """Whether one shipment was chosen."""
        return self.worklist is None and len(self.able) + len(self.refused) == 1


def chosen(request: HttpRequest, act: OperatorAct) -> Chosen:
    """Read what the request chose. Raises Http404 where the user sees none of it."""
    given = request.POST if request.method == "POST" else request.GET
    if name := given.get(WORKLIST):
        return _whole_list(request, name)
    ids = [pk for text in given.getlist("ids") for pk in text.split(",") if pk][:MAX_CHOSEN]
    if name := given.get("of"):
        ids += _shipments_of(request, name, given.getlist("rows"))
    rows = Shipment.objects.filter(pk__in=[pk for pk in ids if "\0" not in pk])
    found = list(
        visible_to(request.user, rows)
        .select_related("company", "courier", "account")
        .order_by("status_at", "pk")
    )
    if not found:
        raise Http404("no such shipment")
    under_way = _under_way(found) if act != OperatorAct.TRACK else {}
    able, refused = [], []
    for one in found:
        why = under_way.get(one.pk) or _why_not(one, act)
        if why:
            refused.append(Refused(one, why))
        else:
            able.append(one)
    return Chosen(able, refused, seen_of(found), len(set(ids)) - len(found), len(able))


def rows_on_list(user: Any, found: Worklist, keys: list[str]) -> QuerySet[Any]:
    """Return those of the rows with these keys that are on the list now and the user may see."""
    field, valid = found.model._meta.pk, []
    for key in keys[:MAX_CHOSEN]:
        try:
            valid.append(field.to_python(key.replace("\0", "")))
        except ValidationError:
            continue
    return found.rows(user).filter(pk__in=valid)


def _shipments_of(request: HttpRequest, name: str, keys: list[str]) -> list[str]:
    """Return the shipments of chosen rows of another list, such as that of flags."""
    found, looks = list_of(request, name)
    if not looks.shipment:
        raise Http404("no shipments")
    rows = rows_on_list(request.user, found, keys)
    return [str(pk) for pk in rows.values_list(looks.shipment, flat=True)]


def list_of(request: HttpRequest, name: str) -> tuple[Worklist, Looks]:
    """Return the list of this name and its looks.

    Raises Http404 where there is none, and PermissionDenied where the user may not see it.
    """
    looks = looks_of(name)
    try:
        found = worklist(name)
    except KeyError:
        raise Http404("no such list") from None
    if looks is None:
        raise Http404("no such list")
    if not request.user.has_perm(found.permission):
        raise PermissionDenied
    return found, looks


def _whole_list(request: HttpRequest, name: str) -> Chosen:
    found, _ = list_of(request, name)
    if found.model is not Shipment:
        raise Http404("no list of shipments")
    given: Any = request.POST if request.method == "POST" else request.GET
    filters = filters_of(given)
    rows = filtered(found.rows(request.user), filters, request.user)
    return Chosen(count=rows.count(), worklist=found, filters=filters)


def _why_not(shipment: Shipment, act: OperatorAct) -> str:
    if act == OperatorAct.TRACK:
        return "" if shipment.tracking_id else "It has no tracking id."
    return why_not(shipment, ActionKind(act.value))


def _under_way(shipments: list[Shipment]) -> dict[str, str]:
    """Why the shipments with an open action cannot have another one, by their ids."""
    rows = ShipmentAction.objects.filter(
        shipment__in=[one.pk for one in shipments], state__in=OPEN
    ).select_related("asked_by")
    return {
        one.shipment_id: f"{one.get_kind_display()} is {one.get_state_display().lower()}"
        f"{f', asked by {one.asked_by}' if one.asked_by else ''}."
        for one in rows
    }
