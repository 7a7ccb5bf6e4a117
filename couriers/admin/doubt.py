"""Settling a booking in doubt: the evidence beside the question, and two answers."""

from __future__ import annotations

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextInputWidget

from couriers.admin import questions
from couriers.contract.errors import InvalidRequest
from couriers.contract.platform_errors import NotInDoubt, TooEarly
from couriers.contract.statuses import Status
from couriers.models import Shipment
from couriers.operations import doubt
from couriers.operations.decisions import MAX_REASON
from couriers.operations.evidence import evidence_of

PERMISSION = "shipcrowd_couriers.settle_doubt"


class ResolveForm(forms.Form):
    """It exists at the courier."""

    tracking_id = forms.CharField(
        max_length=100, label="Tracking id", widget=UnfoldAdminTextInputWidget
    )
    waybill = forms.CharField(max_length=100, required=False, widget=UnfoldAdminTextInputWidget)
    reason = forms.CharField(max_length=MAX_REASON, widget=UnfoldAdminTextInputWidget)


class ReleaseForm(forms.Form):
    """It does not exist at the courier."""

    reason = forms.CharField(max_length=MAX_REASON, widget=UnfoldAdminTextInputWidget)
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
        return questions.may(request, PERMISSION, object_id, status=Status.IN_DOUBT)

    def get_urls(self) -> list[URLPattern]:
        refusal = "You may not settle bookings in doubt."
        url = questions.question(
            self, "doubt", "shipcrowd_settle_doubt", PERMISSION, refusal, self.ask_doubt
        )
        return [url, *super().get_urls()]

    def ask_doubt(self, request: HttpRequest, shipment: Shipment) -> HttpResponse:
        """The question, the evidence, and a form for each answer."""
        back = redirect(questions.shipment_url(shipment.pk))
        if shipment.status != Status.IN_DOUBT:
            messages.info(
                request, str(NotInDoubt(shipment.get_status_display())).capitalize() + "."
            )
            return back
        answer = request.POST.get("answer")
        exists = ResolveForm(request.POST if answer == "exists" else None, prefix="exists")
        absent = ReleaseForm(request.POST if answer == "absent" else None, prefix="absent")
        if request.method == "POST" and self._settled(request, shipment.pk, answer, exists, absent):
            return back
        return questions.page(
            self, request, "admin/couriers/settle_doubt.html", shipment,
            f"does it exist at {shipment.courier}?",
            evidence=evidence_of(shipment), exists=exists, absent=absent,
        )  # fmt: skip

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
        except (InvalidRequest, TooEarly) as error:
            questions.refuse(form, error)
            return False
        except NotInDoubt as error:
            messages.warning(request, str(error).capitalize() + ".")
            return True
        questions.decided(request, shipment)
        return True
