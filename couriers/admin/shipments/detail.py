"""The page of a shipment: its head, and one tab at a time.

Each tab reads its own rows alone. How many statements the page makes does not depend on how many
scans, calls or decisions there are.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.dateparse import parse_datetime
from unfold.dataclasses import UnfoldAction

from couriers.admin.base import PageAdmin, admin_url
from couriers.admin.decision_pages import shipment_url
from couriers.admin.shipments.documents import VIEW
from couriers.admin.shipments.head import head_of
from couriers.admin.shipments.labels import offers_label
from couriers.admin.shipments.lifting import LIFTABLE
from couriers.admin.shipments.tabs import documents_of, history_of, money_of, raw_of
from couriers.contract.statuses import Status
from couriers.fulfilment.proofs import can_have_proof
from couriers.models import Shipment, ShipmentFlag
from couriers.operations.staff import VIEW_AMOUNTS, VIEW_CONSIGNEE
from couriers.operations.timeline import EntryKind, timeline_of

TABS = {
    "timeline": "Timeline", "documents": "Documents", "money": "Money", "history": "History",
    "raw": "Raw",
}  # fmt: skip
FLAGS = Prefetch("flags", ShipmentFlag.objects.select_related("cleared_by"))
_LOADED = "_shipcrowd_shipment"


class DetailMixin(PageAdmin):
    """The read-only page of one shipment, in place of Django's form."""

    def shipment_of(self, request: HttpRequest, pk: str) -> Shipment:
        """The shipment, read once a request. Raises Http404 for one that the user may not see."""
        loaded: Shipment | None = getattr(request, _LOADED, None)
        if loaded is None or loaded.pk != pk:
            related = ("company", "courier", "account", "warehouse", "original")
            rows = self.get_queryset(request).select_related(*related).prefetch_related(FLAGS)
            loaded = rows.filter(pk=pk).first()
            if loaded is None:
                raise Http404("no such shipment")
            setattr(request, _LOADED, loaded)
        return loaded

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page. Nothing is changed here: a POST is a 403."""
        if request.method != "GET" or not self.has_view_permission(request):
            raise PermissionDenied
        return self.detail_page(request, self.shipment_of(request, unquote(object_id)))

    def detail_page(
        self, request: HttpRequest, shipment: Shipment, **extra: Any
    ) -> TemplateResponse:
        """Render the page of the shipment with the tab that the address names."""
        tabs = dict(TABS)
        if not request.user.has_perm(VIEW_AMOUNTS):
            del tabs["money"]
        tab = request.GET.get("tab", "")
        tab = tab if tab in tabs else "timeline"
        request.current_app = self.admin_site.name
        url = shipment_url(self, shipment.pk)
        object_id = url.removesuffix("/change/").rsplit("/", 1)[1]
        allowed = self.get_actions_detail(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Order {shipment.order_number}",
            "opts": self.model._meta,
            "original": shipment,
            "shipment": shipment,
            "page_url": url,
            "tabs": tabs,
            "tab": tab,
            "actions_detail": self._get_actions_navigation(self.actions_detail, allowed, object_id),
            "label_url": self._label_url(request, shipment),
            "show_consignee_url": self._show_consignee_url(request, shipment),
            **head_of(self, request, shipment),
            **self._tab_context(request, shipment, tab),
            **extra,
        }
        return TemplateResponse(request, "admin/shipcrowd_couriers/shipment/page.html", context)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[UnfoldAction]:
        """The buttons that the shipment may have: of no other is the permission asked about."""
        shipment = self.shipment_of(request, unquote(str(object_id)))
        possible = {
            "cancel_parcel": shipment.attempt > 1,
            "settle_doubt": shipment.status == Status.IN_DOUBT,
            "lift_status": shipment.status in LIFTABLE,
            "open_proof": can_have_proof(shipment),
            "clear_flag": any(flag.cleared_at is None for flag in shipment.flags.all()),
        }
        names = [name for name in self.actions_detail if possible.get(name, True)]
        actions = [self.get_unfold_action(name) for name in names]
        return self._filter_unfold_actions_by_permissions(request, actions, shipment.pk)

    def _label_url(self, request: HttpRequest, shipment: Shipment) -> str:
        if not request.user.has_perm(VIEW) or not offers_label(shipment):
            return ""
        return admin_url(self, "shipcrowd_label", shipment.pk)

    def _show_consignee_url(self, request: HttpRequest, shipment: Shipment) -> str:
        if not request.user.has_perm(VIEW_CONSIGNEE) or shipment.erased_at is not None:
            return ""
        return admin_url(self, "shipcrowd_show_consignee", shipment.pk)

    def _tab_context(self, request: HttpRequest, shipment: Shipment, tab: str) -> dict[str, Any]:
        if tab == "documents":
            return documents_of(self, request, shipment)
        if tab == "money":
            return {"money": money_of(shipment)}
        if tab == "history":
            return history_of(shipment, request.GET.get("before", ""))
        if tab == "raw":
            return {"raw": raw_of(shipment, with_amounts=request.user.has_perm(VIEW_AMOUNTS))}
        kind = request.GET.get("kind", "")
        kind = kind if kind in EntryKind.values else ""
        return {
            "kind": kind,
            "kinds": [("", "All"), *EntryKind.choices],
            "before": request.GET.get("before", ""),
            "timeline": timeline_of(
                shipment, _time(request.GET.get("before", "")), EntryKind(kind) if kind else None
            ),
        }


def _time(text: str) -> dt.datetime | None:
    """The time of an "older" link, None for the newest page or what is no time."""
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found if found is None or found.tzinfo else None
