"""The page of a work list: tabs with counts, the rows, and what can be done to them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.dateparse import parse_datetime

from couriers.admin.base import admin_url
from couriers.admin.worklists.act import acts_url
from couriers.admin.worklists.chosen import list_of
from couriers.admin.worklists.looks import Link, Looks, cells_for, looks_of
from couriers.admin.worklists.people import People, people_of
from couriers.contract.errors import InvalidRequest
from couriers.models import Company, Courier, Shipment
from couriers.models.operator_job import OperatorAct
from couriers.operations import staff_notes
from couriers.operations.decisions import record_decision
from couriers.operations.staff import ACT, VIEW_CONSIGNEE, visible_to
from couriers.operations.worklist_filters import REASON, filtered, filters_of
from couriers.operations.worklists import Worklist, registered, tallies

PER_PAGE = 50
MAX_CHOICES = 200  # companies or reasons to filter by
CANCEL_TEXT = "Cancel shipments"  # beside "Clear" and the like
WAYS = ("assign", "unassign", "note", "phone")  # what a POST to the page asks for


@dataclass(frozen=True, slots=True)
class Row:
    """A row as the page shows it."""

    pk: Any
    cells: Sequence[Link | str]
    shipment_id: str
    people: People | None


@dataclass(frozen=True, slots=True)
class Button:
    """A button above the list: where it leads, its text, and the name of what it does."""

    url: str
    text: str
    label: str


class WorklistMixin(admin.ModelAdmin):
    """Adds the page to the admin of operators' jobs."""

    def get_urls(self) -> list[URLPattern]:
        url = acts_url(self, self.worklist_page, "worklists/<str:name>/", "shipcrowd_worklist")
        return [url, *super().get_urls()]

    def worklist_page(self, request: HttpRequest, name: str) -> HttpResponseBase:
        """Show the list. A POST assigns a row, adds a note or shows a phone."""
        found, looks = list_of(request, name)
        filters = filters_of(request.GET) if found.model is Shipment else {}
        shown: str | None = None
        if request.method == "POST":
            shown = self._post(request, found)
            if shown is None:
                return redirect(request.get_full_path())
        # The admin has no answer kept by a browser or a cache, so none with a phone.
        context = self._context(request, found, looks, filters, shown)
        return TemplateResponse(request, "admin/shipcrowd_couriers/worklist.html", context)

    def _post(self, request: HttpRequest, found: Worklist) -> str | None:
        """Do what the POST asks for one row; return the shipment whose phone is to be shown."""
        way = next((one for one in WAYS if one in request.POST), None)
        if way is None or found.model is not Shipment:
            raise Http404("no such action")
        if not request.user.has_perm(VIEW_CONSIGNEE if way == "phone" else ACT):
            raise PermissionDenied
        pk = request.POST[way].replace("\0", "")
        shipment = visible_to(request.user, Shipment.objects.filter(pk=pk)).first()
        if shipment is None:
            raise Http404("no such shipment")
        assert request.user.is_authenticated
        if way == "phone":
            record_decision(shipment, request.user, "show_phone", f"list {found.name}", {})
            return shipment.pk
        {"assign": _assign, "unassign": _unassign, "note": _note}[way](request, shipment)
        return None

    def _context(
        self,
        request: HttpRequest,
        found: Worklist,
        looks: Looks,
        filters: Mapping[str, str],
        shown: str | None,
    ) -> dict[str, Any]:
        rows = found.rows(request.user)
        if found.model is Shipment:
            rows = filtered(rows, filters, request.user)
        page = _page(rows.select_related(*looks.related), found, request.GET)
        following = _key_of(page[PER_PAGE - 1], found) if len(page) > PER_PAGE else None
        page = page[:PER_PAGE]
        tabs = self._tabs(request, found)
        can_act = request.user.has_perm(ACT)
        acts, row_acts = self._acts(request, looks), self._row_acts(request, found, looks)
        count = next(tab["count"] for tab in tabs if tab["is_current"])
        query = "&".join(f"{key}={value}" for key, value in filters.items())
        return {
            **self.admin_site.each_context(request),
            "title": found.title,
            "list": found,
            "tabs": tabs,
            "headers": looks.headers,
            "rows": self._shown(request, looks, page, shown),
            "of_shipments": looks.shipment == "pk",
            "acts": acts,
            # What mends the rows is first.
            "buttons": [*acts, *row_acts] if looks.shipment == "pk" else [*row_acts, *acts],
            "ids_name": "ids" if looks.shipment == "pk" else "rows",
            "can_act": can_act,
            "can_see_phone": request.user.has_perm(VIEW_CONSIGNEE),
            "total": rows.count() if filters else count,
            "filters": filters,
            "choices": self._choices(request, found) if found.model is Shipment else None,
            "following": following and f"?{query}{'&' if query else ''}after={following}",
            "is_later": "after" in request.GET,
            "here": request.get_full_path(),
            "address_url": admin_url(self, "shipcrowd_act", OperatorAct.ADDRESS.value)
            if can_act and OperatorAct.ADDRESS in looks.acts
            else "",
        }

    def _acts(self, request: HttpRequest, looks: Looks) -> list[Button]:
        """What couriers can be asked to do for a selection."""
        if not request.user.has_perm(ACT):
            return []
        return [
            Button(
                admin_url(self, "shipcrowd_act", one.value),
                CANCEL_TEXT if one == OperatorAct.CANCEL else one.label,
                one.label,
            )
            for one in looks.acts
            if one != OperatorAct.ADDRESS  # of a single shipment, in its row
        ]

    def _row_acts(self, request: HttpRequest, found: Worklist, looks: Looks) -> list[Button]:
        """What can be done to a selection within the platform."""
        return [
            Button(admin_url(self, "shipcrowd_row_act", found.name, one.name), one.label, one.label)
            for one in looks.row_acts
            if request.user.has_perm(one.permission)
        ]

    def _tabs(self, request: HttpRequest, current: Worklist) -> list[dict[str, Any]]:
        lists = [
            one
            for one in registered()
            if looks_of(one.name) is not None and request.user.has_perm(one.permission)
        ]
        counts = tallies(request.user, lists)
        return [
            {
                "title": one.title,
                "count": counts[one.name].count,
                "url": admin_url(self, "shipcrowd_worklist", one.name),
                "is_current": one.name == current.name,
            }
            for one in lists
        ]

    def _shown(
        self, request: HttpRequest, looks: Looks, page: list[Any], shown: str | None
    ) -> list[Row]:
        cells = looks.cells(page, self)
        people: Mapping[str, People] = {}
        if looks.shipment == "pk":
            people = people_of(page, request.user, shown)
        return [
            Row(
                one.pk, cells_for(request.user, cells[one.pk]),
                getattr(one, looks.shipment) if looks.shipment else "", people.get(one.pk),
            )
            for one in page
        ]  # fmt: skip

    def _choices(self, request: HttpRequest, found: Worklist) -> dict[str, list[tuple[str, str]]]:
        """What the list can be filtered by. The reasons are those of its rows."""
        companies = visible_to(request.user, Company.objects.all(), "pk").order_by("name")
        choices = {
            "company": [(str(one.pk), str(one)) for one in companies[:MAX_CHOICES]],
            "courier": [(one.pk, one.name) for one in Courier.objects.order_by("name")],
        }
        if found.name == "ndr":
            reasons = found.rows(request.user).order_by(REASON_COLUMN).exclude(ndr_reason="")
            texts = reasons.values_list(REASON_COLUMN, flat=True).distinct()[:MAX_CHOICES]
            choices[REASON] = [(text, text) for text in texts]
        return choices


REASON_COLUMN = "ndr_reason"


def _page(rows: QuerySet[Any], found: Worklist, given: QueryDict) -> list[Any]:
    """The rows of the page, and one more where there are more. They are after a key."""
    at, _, pk = given.get("after", "").partition("|")
    if pk and "\0" not in pk:
        rows = rows.filter(_after(found, at, pk))
    try:
        return list(rows[: PER_PAGE + 1])
    except (ValueError, TypeError):
        raise Http404("no such page") from None


def _after(found: Worklist, at: str, pk: str) -> Q:
    """Select the rows after a key. Rows without a time come last."""
    since = found.since
    if not at:
        return Q(**{f"{since}__isnull": True, "pk__gt": pk})
    try:
        time: dt.datetime | None = parse_datetime(at)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise Http404("no such page")
    later = Q(**{f"{since}__gt": time}) | Q(**{since: time, "pk__gt": pk})
    return later | Q(**{f"{since}__isnull": True})


def _key_of(row: Any, found: Worklist) -> str:
    at = getattr(row, found.since)
    # A + would be read as a space.
    return f"{at.astimezone(dt.UTC).isoformat().replace('+00:00', 'Z') if at else ''}|{row.pk}"


def _assign(request: HttpRequest, shipment: Shipment) -> None:
    assert request.user.is_authenticated
    found = staff_notes.assign(shipment, request.user)
    if found.user_id == request.user.pk:
        messages.success(request, f"Order {shipment.order_number} is assigned to you.")
    else:
        said = f"{found.user} was first: order {shipment.order_number} is assigned to {found.user}."
        messages.warning(request, said)


def _unassign(request: HttpRequest, shipment: Shipment) -> None:
    assert request.user.is_authenticated
    if staff_notes.release(shipment, request.user):
        messages.success(request, f"Order {shipment.order_number} is assigned to nobody.")
    else:
        messages.warning(request, f"Order {shipment.order_number} was not assigned to you.")


def _note(request: HttpRequest, shipment: Shipment) -> None:
    assert request.user.is_authenticated
    try:
        staff_notes.add_note(shipment.pk, request.user, request.POST.get("text", ""))
    except InvalidRequest as error:
        messages.error(request, f"The note {error.problems[0].message}.")
        return
    messages.success(request, f"The note is on order {shipment.order_number}.")
