"""The page on which an operator corrects a tracking id that an operator had given."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from unfold.decorators import action

from couriers.admin.base import admin_url
from couriers.admin.decision_pages import (
    add_errors,
    decision_url,
    render_decision_page,
    shipment_url,
    show_new_status,
)
from couriers.admin.shipments.tracking_id_form import TrackingIdForm
from couriers.contract.errors import InvalidRequest
from couriers.contract.platform_errors import NotCorrectable, UncheckedTrackingId
from couriers.models import Shipment
from couriers.operations import doubt
from couriers.operations.correction import correct_tracking_id, is_correctable


class CorrectIdMixin(admin.ModelAdmin):
    """Adds the page to the admin of shipments, and a button where an operator gave the id."""

    @action(
        description="Correct the tracking id", url_path="correct-id", permissions=["correct_id"]
    )
    def correct_id(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The button: redirect to the page."""
        return redirect(admin_url(self, "shipcrowd_correct_id", object_id))

    def has_correct_id_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Whether the button is shown."""
        if not request.user.has_perm(doubt.PERMISSION):
            return False
        if object_id is None:
            return True
        shipment = self.get_queryset(request).filter(pk=object_id).first()
        return shipment is not None and is_correctable(shipment)

    def get_urls(self) -> list[URLPattern]:
        refusal = "You may not correct tracking ids."
        url = decision_url(
            self, "tracking-id", "shipcrowd_correct_id", doubt.PERMISSION, refusal,
            self.correct_id_page,
        )  # fmt: skip
        return [url, *super().get_urls()]

    def correct_id_page(self, request: HttpRequest, shipment: Shipment) -> HttpResponse:
        """Show the wrong id with the form, and correct it when the form is sent."""
        form = TrackingIdForm(request.POST or None)
        if request.method == "POST":
            try:
                if self._correct(request, shipment.pk, form):
                    return redirect(shipment_url(self, shipment.pk))
            except UncheckedTrackingId as error:
                form = form.ask_to_confirm(str(error))
        return render_decision_page(
            self, request, "admin/shipcrowd_couriers/correct_id.html", shipment,
            f"not {shipment.tracking_id}?",
            form=form, correctable=is_correctable(shipment),
            scans=shipment.scans.filter(tracking_id=shipment.tracking_id).count(),
        )  # fmt: skip

    def _correct(self, request: HttpRequest, pk: str, form: TrackingIdForm) -> bool:
        """Carry out the decision. Returns False where the form must be shown again.

        Raises UncheckedTrackingId.
        """
        assert request.user.is_authenticated
        if not form.is_valid():
            return False
        try:
            shipment = correct_tracking_id(pk, actor=request.user, **form.answers)
        except (InvalidRequest, NotCorrectable) as error:
            add_errors(form, error)
            return False
        show_new_status(request, shipment)
        return True
