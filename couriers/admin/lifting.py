"""Lifting the end of a shipment: what the courier said beside the question, and one answer."""

from __future__ import annotations

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextInputWidget

from couriers.admin import questions
from couriers.contract.errors import InvalidRequest
from couriers.contract.platform_errors import NotLiftable
from couriers.contract.statuses import TERMINAL, Status
from couriers.models import Scan, Shipment
from couriers.operations.decisions import MAX_REASON
from couriers.operations.lifting import lift, terminal_scan_of

PERMISSION = "shipcrowd_couriers.lift_status"
SHOWN = 50


class LiftForm(forms.Form):
    """The end is wrong."""

    reason = forms.CharField(max_length=MAX_REASON, widget=UnfoldAdminTextInputWidget)
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
        return questions.may(request, PERMISSION, object_id, status__in=TERMINAL - {Status.FAILED})

    def get_urls(self) -> list[URLPattern]:
        refusal = "You may not lift the end of a shipment."
        url = questions.question(
            self, "lift", "shipcrowd_lift_status", PERMISSION, refusal, self.ask_end
        )
        return [url, *super().get_urls()]

    def ask_end(self, request: HttpRequest, shipment: Shipment) -> HttpResponse:
        """The question, the scans, and a form that wants a reason."""
        end = terminal_scan_of(shipment)
        form = LiftForm(request.POST or None)
        if (
            request.method == "POST"
            and form.is_valid()
            and self._lifted(request, shipment.pk, form)
        ):
            return redirect(questions.shipment_url(shipment.pk))
        scans = Scan.objects.filter(shipment=shipment).order_by("-at", "-id")[:SHOWN]
        return questions.page(
            self, request, "admin/couriers/lift_status.html", shipment,
            f"not {shipment.get_status_display().lower()}?", end=end, scans=scans, form=form,
        )  # fmt: skip

    def _lifted(self, request: HttpRequest, pk: str, form: LiftForm) -> bool:
        """Carry out the decision; False where its form is to be shown again."""
        assert request.user.is_authenticated
        try:
            shipment = lift(pk, actor=request.user, reason=form.cleaned_data["reason"])
        except (InvalidRequest, NotLiftable) as error:
            questions.refuse(form, error)
            return False
        questions.decided(request, shipment)
        return True
