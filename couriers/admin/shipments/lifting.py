"""The page on which an operator lifts a terminal status that is wrong.

It shows the courier's scans and asks for a reason.
"""

from __future__ import annotations

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextInputWidget

from couriers.admin.base import admin_url
from couriers.admin.decision_pages import (
    add_errors,
    can_decide,
    decision_url,
    render_decision_page,
    shipment_url,
    show_new_status,
)
from couriers.contract.errors import InvalidRequest
from couriers.contract.platform_errors import NotLiftable
from couriers.contract.statuses import TERMINAL, Status
from couriers.models import Scan, Shipment
from couriers.operations.decisions import MAX_REASON
from couriers.operations.lifting import PERMISSION, lift, terminal_scan_of

MAX_SCANS = 50  # on the page, the latest
LIFTABLE = TERMINAL - {Status.FAILED}  # "failed" is the platform's own: no scan leads to it


class LiftForm(forms.Form):
    """The decision that the terminal status is wrong."""

    reason = forms.CharField(max_length=MAX_REASON, widget=UnfoldAdminTextInputWidget)
    sure = forms.BooleanField(
        label="I looked in the courier's panel, and the parcel is still on its way.",
        widget=forms.CheckboxInput,
    )


class LiftStatusMixin(admin.ModelAdmin):
    """Adds the page to the admin of shipments, and a button on a shipment that has ended."""

    @action(description="Lift the end", url_path="lift-end", permissions=["lift_status"])
    def lift_status(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The button: redirect to the page."""
        return redirect(admin_url(self, "shipcrowd_lift_status", object_id))

    def has_lift_status_permission(
        self, request: HttpRequest, object_id: str | None = None
    ) -> bool:
        """Whether the button is shown."""
        return can_decide(request, PERMISSION, object_id, status__in=LIFTABLE)

    def get_urls(self) -> list[URLPattern]:
        refusal = "You may not lift the end of a shipment."
        url = decision_url(
            self, "lift", "shipcrowd_lift_status", PERMISSION, refusal, self.lift_status_page
        )
        return [url, *super().get_urls()]

    def lift_status_page(self, request: HttpRequest, shipment: Shipment) -> HttpResponse:
        """Show the scans with the form, and lift the status when the form is sent."""
        terminal_scan = terminal_scan_of(shipment)
        form = LiftForm(request.POST or None)
        if request.method == "POST" and self._lift(request, shipment.pk, form):
            return redirect(shipment_url(self, shipment.pk))
        scans = Scan.objects.filter(shipment=shipment).order_by("-at", "-id")[:MAX_SCANS]
        return render_decision_page(
            self, request, "admin/shipcrowd_couriers/lift_status.html", shipment,
            f"not {shipment.get_status_display().lower()}?",
            terminal_scan=terminal_scan, scans=scans, form=form,
        )  # fmt: skip

    def _lift(self, request: HttpRequest, pk: str, form: LiftForm) -> bool:
        """Carry out the decision. Returns False where the form must be shown again."""
        assert request.user.is_authenticated
        if not form.is_valid():
            return False
        try:
            shipment = lift(pk, actor=request.user, reason=form.cleaned_data["reason"])
        except (InvalidRequest, NotLiftable) as error:
            add_errors(form, error)
            return False
        show_new_status(request, shipment)
        return True
