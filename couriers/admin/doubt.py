"""Settling a booking in doubt: the evidence beside the question, and two answers."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextInputWidget

from couriers import doubt
from couriers.errors import InvalidRequest
from couriers.evidence import evidence_of
from couriers.models import Shipment
from couriers.statuses import Status

PERMISSION = "shipcrowd_couriers.settle_doubt"


class ResolveForm(forms.Form):
    """It exists at the courier."""

    tracking_id = forms.CharField(
        max_length=100, label="Tracking id", widget=UnfoldAdminTextInputWidget
    )
    waybill = forms.CharField(max_length=100, required=False, widget=UnfoldAdminTextInputWidget)
    reason = forms.CharField(max_length=doubt.LONGEST_REASON, widget=UnfoldAdminTextInputWidget)


class ReleaseForm(forms.Form):
    """It does not exist at the courier."""

    reason = forms.CharField(max_length=doubt.LONGEST_REASON, widget=UnfoldAdminTextInputWidget)
    sure = forms.BooleanField(
        label="I looked in the courier's panel, and the order is not there.",
        widget=forms.CheckboxInput,
    )


class SettlesDoubt(admin.ModelAdmin):
    """Adds the page on which a booking in doubt is settled to the admin of shipments."""

    @action(description="Settle the doubt", url_path="settle-doubt", permissions=["settle_doubt"])
    def settle(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Lead from the shipment's page to its question."""
        return redirect("admin:shipcrowd_settle_doubt", object_id)

    def has_settle_doubt_permission(
        self, request: HttpRequest, object_id: str | None = None
    ) -> bool:
        """Only with the permission, and only where there is a doubt."""
        if not request.user.has_perm(PERMISSION):
            return False
        if object_id is None:
            return True
        return Shipment.objects.filter(pk=object_id, status=Status.IN_DOUBT).exists()

    def get_urls(self) -> list[URLPattern]:
        page = path(
            "<str:pk>/doubt/",
            self.admin_site.admin_view(self.settle_page),
            name="shipcrowd_settle_doubt",
        )
        return [page, *super().get_urls()]

    def settle_page(self, request: HttpRequest, pk: str) -> HttpResponse:
        """The question, the evidence, and a form for each answer."""
        shipment = get_object_or_404(Shipment.objects.select_related("company", "courier"), pk=pk)
        if not request.user.has_perm(PERMISSION):
            messages.error(request, "You may not settle bookings in doubt.")
            return redirect("admin:shipcrowd_couriers_shipment_change", pk)
        if shipment.status != Status.IN_DOUBT:
            messages.info(request, str(doubt.NotInDoubt(shipment)).capitalize() + ".")
            return redirect("admin:shipcrowd_couriers_shipment_change", pk)
        answer = request.POST.get("answer")
        exists = ResolveForm(request.POST if answer == "exists" else None, prefix="exists")
        absent = ReleaseForm(request.POST if answer == "absent" else None, prefix="absent")
        if request.method == "POST" and self._settled(request, pk, answer, exists, absent):
            return redirect("admin:shipcrowd_couriers_shipment_change", pk)
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": f"Order {shipment.order_number}: does it exist at {shipment.courier}?",
            "shipment": shipment,
            "evidence": evidence_of(shipment),
            "exists": exists,
            "absent": absent,
            "back": reverse("admin:shipcrowd_couriers_shipment_change", args=[pk]),
        }
        return TemplateResponse(request, "admin/couriers/settle_doubt.html", context)

    def _settled(
        self,
        request: HttpRequest,
        pk: str,
        answer: str | None,
        exists: ResolveForm,
        absent: ReleaseForm,
    ) -> bool:
        """Carry out the answer; False where its form is to be shown again."""
        assert request.user.is_authenticated
        form: forms.Form = exists if answer == "exists" else absent
        if not form.is_valid():
            return False
        try:
            if answer == "exists":
                shipment = doubt.resolve(pk, actor=request.user, **form.cleaned_data)
            else:
                reason = form.cleaned_data["reason"]
                shipment = doubt.release(pk, actor=request.user, reason=reason)
        except InvalidRequest as error:
            for problem in error.problems:
                form.add_error(problem.field, problem.message)
            return False
        except doubt.TooEarly as error:
            form.add_error(None, str(error).capitalize() + ".")
            return False
        except doubt.NotInDoubt as error:
            messages.warning(request, str(error).capitalize() + ".")
            return True
        messages.success(request, f"Order {shipment.order_number} is {shipment.status}.")
        return True
