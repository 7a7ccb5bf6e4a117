"""Lifting the end of a shipment: what the courier said beside the question, and one answer."""

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

from couriers.doubt import LONGEST_REASON
from couriers.errors import InvalidRequest
from couriers.lifting import NotLiftable, end_of, lift
from couriers.models import Scan, Shipment
from couriers.statuses import TERMINAL, Status

PERMISSION = "shipcrowd_couriers.lift_status"
SHOWN = 50


class LiftForm(forms.Form):
    """The end is wrong."""

    reason = forms.CharField(max_length=LONGEST_REASON, widget=UnfoldAdminTextInputWidget)
    sure = forms.BooleanField(
        label="I looked in the courier's panel, and the parcel is still on its way.",
        widget=forms.CheckboxInput,
    )


class LiftsEnds(admin.ModelAdmin):
    """Adds the page on which a terminal status is lifted to the admin of shipments."""

    @action(description="Lift the end", url_path="lift-end", permissions=["lift_status"])
    def lift_end(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Lead from the shipment's page to the question."""
        return redirect("admin:shipcrowd_lift_status", object_id)

    def has_lift_status_permission(
        self, request: HttpRequest, object_id: str | None = None
    ) -> bool:
        """Only with the permission, and only where there is an end that scans made."""
        if not request.user.has_perm(PERMISSION):
            return False
        if object_id is None:
            return True
        ended = TERMINAL - {Status.FAILED}
        return Shipment.objects.filter(pk=object_id, status__in=ended).exists()

    def get_urls(self) -> list[URLPattern]:
        page = path(
            "<str:pk>/lift/",
            self.admin_site.admin_view(self.lift_page),
            name="shipcrowd_lift_status",
        )
        return [page, *super().get_urls()]

    def lift_page(self, request: HttpRequest, pk: str) -> HttpResponse:
        """The question, the scans, and a form that wants a reason."""
        shipment = get_object_or_404(Shipment.objects.select_related("company", "courier"), pk=pk)
        back = reverse("admin:shipcrowd_couriers_shipment_change", args=[pk])
        if not request.user.has_perm(PERMISSION):
            messages.error(request, "You may not lift the end of a shipment.")
            return redirect(back)
        end = end_of(shipment)
        form = LiftForm(request.POST or None)
        if request.method == "POST" and form.is_valid() and self._lifted(request, pk, form):
            return redirect(back)
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": f"Order {shipment.order_number}: not {shipment.get_status_display().lower()}?",
            "shipment": shipment,
            "end": end,
            "scans": Scan.objects.filter(shipment=shipment).order_by("-at", "-id")[:SHOWN],
            "form": form,
            "back": back,
        }
        return TemplateResponse(request, "admin/couriers/lift_status.html", context)

    def _lifted(self, request: HttpRequest, pk: str, form: LiftForm) -> bool:
        """Carry out the decision; False where its form is to be shown again."""
        assert request.user.is_authenticated
        try:
            shipment = lift(pk, actor=request.user, reason=form.cleaned_data["reason"])
        except InvalidRequest as error:
            for problem in error.problems:
                form.add_error(problem.field, problem.message)
            return False
        except NotLiftable as error:
            form.add_error(None, str(error).capitalize() + ".")
            return False
        messages.success(request, f"Order {shipment.order_number} is {shipment.status}.")
        return True
