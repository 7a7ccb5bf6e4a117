"""Showing the consignee's phone and address: asked for by a button, and audited each time."""

from __future__ import annotations

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_protect

from couriers.admin.decision_pages import shipment_url
from couriers.admin.shipments.detail import DetailMixin
from couriers.models.fields import UNREADABLE_TEXT, readable_or
from couriers.operations.decisions import record_decision
from couriers.operations.staff import VIEW_CONSIGNEE
from couriers.resilience.unavailable import page_while_away


class ShowConsigneeMixin(DetailMixin):
    """Adds the button to the page of a shipment."""

    def get_urls(self) -> list[URLPattern]:
        view = page_while_away(self.admin_site.admin_view(csrf_protect(self.show_consignee)))
        url = path("<str:pk>/consignee/", view, name="shipcrowd_show_consignee")
        return [url, *super().get_urls()]

    def show_consignee(self, request: HttpRequest, pk: str) -> HttpResponseBase:
        """The shipment's page with the phone and the address, which no other answer contains."""
        if not (request.user.has_perm(VIEW_CONSIGNEE) and self.has_view_permission(request)):
            raise PermissionDenied
        shipment = self.shipment_of(request, unquote(pk))
        if request.method != "POST" or shipment.erased_at is not None:
            return redirect(shipment_url(self, shipment.pk))
        assert request.user.is_authenticated
        with transaction.atomic():
            record_decision(shipment, request.user, "show_consignee", "", {})
        phone = readable_or(shipment, "consignee_phone", None)
        shown = {
            "phone": phone or UNREADABLE_TEXT,
            "call": f"tel:+91{phone}" if phone else "",
            "address": readable_or(shipment, "consignee_address", UNREADABLE_TEXT),
            "landmark": readable_or(shipment, "consignee_landmark", UNREADABLE_TEXT),
            "email": readable_or(shipment, "consignee_email", UNREADABLE_TEXT),
        }
        return self.detail_page(request, shipment, consignee=shown)
