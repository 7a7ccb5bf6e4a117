"""The attempts to book a shipment, and the page that cancels the parcel of an earlier one."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextInputWidget

from couriers.admin.base import ReadOnlyAdmin, admin_url
from couriers.admin.decision_pages import (
    as_sentence,
    can_decide,
    decision_url,
    render_decision_page,
    shipment_url,
)
from couriers.admin.registration import page
from couriers.booking.attempts import open_parcels
from couriers.contract.errors import CourierError
from couriers.contract.masking import mask_text
from couriers.contract.platform_errors import PlatformError
from couriers.contract.statuses import Status
from couriers.fulfilment.earlier_parcels import cancel_parcel
from couriers.models import BookingAttempt, FailOver, ParcelCancel, Shipment
from couriers.models.asked import Asker
from couriers.operations.decisions import MAX_REASON
from couriers.operations.staff import ACT

MAX_SHOWN = 50  # attempts of a shipment, the newest


@dataclass(frozen=True, slots=True)
class AttemptLine:
    """An attempt that is over, as the page shows it. `parcel` is what its courier turned out to
    have, and `cancel` how the cancellation of that ended, "" for none.
    """

    number: int
    courier: str
    outcome: str
    reason: str
    ended_at: dt.datetime
    parcel: str = ""
    cancel: str = ""


def attempt_lines(shipment: Shipment) -> list[AttemptLine]:
    """Return the attempts of the shipment that are over. Makes no statement where it has none."""
    if shipment.attempt == 1 and shipment.status != Status.FAILED:
        return []
    rows = shipment.earlier_attempts.select_related("courier").prefetch_related("cancels")
    return [_line(row) for row in reversed(rows.order_by("-number")[:MAX_SHOWN])]


def _line(row: BookingAttempt) -> AttemptLine:
    parcel = row.tracking_id
    if parcel and row.parcel_status:
        parcel = f"{parcel} ({Status(row.parcel_status).label.lower()})"
    last = next(iter(row.cancels.all()), None)
    return AttemptLine(
        number=row.number,
        courier=str(row.courier),
        outcome=row.get_outcome_display().lower(),
        reason=mask_text(row.reason),
        ended_at=row.ended_at,
        parcel=parcel,
        cancel="" if last is None else _how_it_ended(last),
    )


def _how_it_ended(row: ParcelCancel) -> str:
    state = row.get_state_display().lower()
    return f"{state} ({row.words})" if row.words else state


class CancelParcelForm(forms.Form):
    """Which of the earlier couriers' parcels to cancel, and why."""

    attempt = forms.ChoiceField(label="Parcel", widget=forms.RadioSelect)
    reason = forms.CharField(max_length=MAX_REASON, widget=UnfoldAdminTextInputWidget)

    def __init__(self, attempts: list[BookingAttempt], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["attempt"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            (str(one.pk), f"{one.tracking_id} of {one.courier}, attempt {one.number}")
            for one in attempts
        ]


class CancelParcelMixin(admin.ModelAdmin):
    """Adds the page to the admin of shipments, and a button where there is such a parcel."""

    @action(
        description="Cancel the second parcel",
        url_path="cancel-second-parcel",
        permissions=["cancel_parcel"],
    )
    def cancel_parcel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The button: redirect to the page."""
        return redirect(admin_url(self, "shipcrowd_cancel_parcel", object_id))

    def has_cancel_parcel_permission(
        self, request: HttpRequest, object_id: str | None = None
    ) -> bool:
        """Whether the button is shown."""
        if not can_decide(request, ACT, object_id):
            return False
        return object_id is None or open_parcels(Shipment(pk=object_id)).exists()

    def get_urls(self) -> list[URLPattern]:
        url = decision_url(
            self, "earlier-parcel", "shipcrowd_cancel_parcel", ACT,
            "You may not ask couriers to act on shipments.", self.cancel_parcel_page,
        )  # fmt: skip
        return [url, *super().get_urls()]

    def cancel_parcel_page(self, request: HttpRequest, shipment: Shipment) -> HttpResponse:
        """Show the parcels of earlier couriers with the form, and cancel the one chosen."""
        found = list(open_parcels(shipment).select_related("courier").order_by("number"))
        chosen = str(found[0].pk) if len(found) == 1 else None
        form = CancelParcelForm(found, request.POST or None, initial={"attempt": chosen})
        if request.method == "POST" and self._cancel_parcel(request, form):
            return redirect(shipment_url(self, shipment.pk))
        return render_decision_page(
            self, request, "admin/shipcrowd_couriers/cancel_parcel.html", shipment,
            "cancel the second parcel?", parcels=found, form=form,
        )  # fmt: skip

    def _cancel_parcel(self, request: HttpRequest, form: CancelParcelForm) -> bool:
        """Carry out the decision. Returns False where the form must be shown again."""
        assert request.user.is_authenticated
        if not form.is_valid():
            return False
        try:
            row = cancel_parcel(
                int(form.cleaned_data["attempt"]),
                by=Asker(request.user),
                reason=form.cleaned_data["reason"],
            )
        except (CourierError, PlatformError) as error:
            form.add_error(None, as_sentence(error))
            return False
        messages.success(request, f"Cancellation of the second parcel: {_how_it_ended(row)}.")
        return True


@page(BookingAttempt)
class BookingAttemptAdmin(ReadOnlyAdmin):
    company_path = "shipment__company"
    list_display = (
        "shipment", "number", "courier", "outcome", "ended_at", "tracking_id", "parcel_status",
        "cancelled_at",
    )  # fmt: skip
    list_filter = ("outcome", "courier", ("cancelled_at", admin.EmptyFieldListFilter))
    search_fields = ("=shipment__id", "=tracking_id")
    list_select_related = ("shipment", "courier")


@page(FailOver)
class FailOverAdmin(ReadOnlyAdmin):
    company_path = "shipment__company"
    list_display = ("shipment", "attempt", "tries", "next_attempt_at", "created_at")
    list_filter = ("created_at",)
    search_fields = ("=shipment__id",)
    list_select_related = ("shipment",)


@page(ParcelCancel)
class ParcelCancelAdmin(ReadOnlyAdmin):
    company_path = "attempt__shipment__company"
    list_display = ("attempt", "state", "outcome", "asked_by", "asked_at", "ended_at")
    list_filter = ("state",)
    search_fields = ("=attempt__shipment__id", "=attempt__tracking_id")
    list_select_related = ("attempt", "asked_by")
