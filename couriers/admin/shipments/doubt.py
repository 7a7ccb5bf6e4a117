"""The page on which an operator settles a booking in doubt.

It shows the evidence and offers two answers: the courier has the booking, or it does not.
"""

from __future__ import annotations

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextInputWidget

from couriers.admin.base import admin_url
from couriers.admin.decision_pages import (
    add_errors,
    as_sentence,
    can_decide,
    decision_url,
    render_decision_page,
    shipment_url,
    show_new_status,
)
from couriers.admin.shipments.tracking_id_form import TrackingIdForm
from couriers.contract.errors import InvalidRequest
from couriers.contract.platform_errors import NotInDoubt, TooEarly, UncheckedTrackingId
from couriers.contract.statuses import Status
from couriers.models import Shipment
from couriers.operations import doubt
from couriers.operations.decisions import MAX_REASON
from couriers.operations.evidence import evidence_of


class ReleaseForm(forms.Form):
    """The answer that the courier does not have the booking."""

    reason = forms.CharField(max_length=MAX_REASON, widget=UnfoldAdminTextInputWidget)
    sure = forms.BooleanField(
        label="I looked in the courier's panel, and the order is not there.",
        widget=forms.CheckboxInput,
    )


class SettleDoubtMixin(admin.ModelAdmin):
    """Adds the page to the admin of shipments, and a button on a shipment in doubt."""

    @action(description="Settle the doubt", url_path="settle-doubt", permissions=["settle_doubt"])
    def settle_doubt(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The button: redirect to the page."""
        return redirect(admin_url(self, "shipcrowd_settle_doubt", object_id))

    def has_settle_doubt_permission(
        self, request: HttpRequest, object_id: str | None = None
    ) -> bool:
        """Whether the button is shown."""
        return can_decide(request, doubt.PERMISSION, object_id, status=Status.IN_DOUBT)

    def get_urls(self) -> list[URLPattern]:
        refusal = "You may not settle bookings in doubt."
        url = decision_url(
            self,
            "doubt",
            "shipcrowd_settle_doubt",
            doubt.PERMISSION,
            refusal,
            self.settle_doubt_page,
        )
        return [url, *super().get_urls()]

    def settle_doubt_page(self, request: HttpRequest, shipment: Shipment) -> HttpResponse:
        """Show the evidence with a form for each answer, and carry out the answer that is sent."""
        back = redirect(shipment_url(self, shipment.pk))
        if shipment.status != Status.IN_DOUBT:
            messages.info(request, as_sentence(NotInDoubt(shipment.get_status_display())))
            return back
        answer = request.POST.get("answer")
        exists = TrackingIdForm(request.POST if answer == "exists" else None, prefix="exists")
        absent = ReleaseForm(request.POST if answer == "absent" else None, prefix="absent")
        if request.method == "POST":
            try:
                if self._resolve(request, shipment.pk, exists) or self._release(
                    request, shipment.pk, absent
                ):
                    return back
            except UncheckedTrackingId as error:
                exists = exists.ask_to_confirm(str(error))
            except NotInDoubt as error:
                messages.warning(request, as_sentence(error))
                return back
        return render_decision_page(
            self, request, "admin/shipcrowd_couriers/settle_doubt.html", shipment,
            f"does {shipment.courier} have it?",
            evidence=evidence_of(shipment), exists=exists, absent=absent,
        )  # fmt: skip

    def _resolve(self, request: HttpRequest, pk: str, form: TrackingIdForm) -> bool:
        """Settle the doubt as booked. Returns False where the form was not sent, or is wrong.

        Raises UncheckedTrackingId and NotInDoubt.
        """
        assert request.user.is_authenticated
        if not form.is_bound or not form.is_valid():
            return False
        try:
            shipment = doubt.resolve(pk, actor=request.user, **form.answers)
        except InvalidRequest as error:
            add_errors(form, error)
            return False
        show_new_status(request, shipment)
        return True

    def _release(self, request: HttpRequest, pk: str, form: ReleaseForm) -> bool:
        """Settle the doubt as not booked. Returns False where the form was not sent, or is wrong.

        Raises NotInDoubt.
        """
        assert request.user.is_authenticated
        if not form.is_bound or not form.is_valid():
            return False
        try:
            shipment = doubt.release(pk, actor=request.user, reason=form.cleaned_data["reason"])
        except (InvalidRequest, TooEarly) as error:
            add_errors(form, error)
            return False
        show_new_status(request, shipment)
        return True
