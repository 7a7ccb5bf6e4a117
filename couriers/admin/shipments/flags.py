"""The page on which an operator clears a flag, and the list of flags."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextInputWidget

from couriers.admin.base import ReadOnlyAdmin, admin_url, link
from couriers.admin.decision_pages import (
    add_errors,
    as_sentence,
    decision_url,
    render_decision_page,
    shipment_url,
)
from couriers.admin.registration import page
from couriers.admin.today.work_filter import WorkFilter
from couriers.contract.errors import InvalidRequest
from couriers.contract.platform_errors import FlagNotOpen
from couriers.models import Shipment, ShipmentFlag
from couriers.operations.decisions import MAX_REASON
from couriers.operations.flags import PERMISSION, clear, comes_back, sentence_of
from couriers.operations.staff import visible_to

COMES_BACK = "It follows from the scans: the next scan raises it again for as long as they show it."


class ClearFlagForm(forms.Form):
    """Which of a shipment's open flags to clear, and why."""

    flag = forms.ChoiceField(widget=forms.RadioSelect)
    reason = forms.CharField(max_length=MAX_REASON, widget=UnfoldAdminTextInputWidget)

    def __init__(self, flags: list[ShipmentFlag], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["flag"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(str(flag.pk), _choice(flag)) for flag in flags]


def _choice(flag: ShipmentFlag) -> str:
    return f"{sentence_of(flag)} {COMES_BACK}" if comes_back(flag) else sentence_of(flag)


class ClearFlagMixin(admin.ModelAdmin):
    """Adds the page to the admin of shipments, and a button on a shipment with an open flag."""

    @action(description="Clear a flag", url_path="clear-a-flag", permissions=["clear_flag"])
    def clear_flag(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The button: redirect to the page."""
        return redirect(admin_url(self, "shipcrowd_clear_flag", object_id))

    def has_clear_flag_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Whether the button is shown."""
        if not request.user.has_perm(PERMISSION):
            return False
        if object_id is None:
            return True
        return visible_to(request.user, _open_flags(object_id), "shipment__company").exists()

    def get_urls(self) -> list[URLPattern]:
        url = decision_url(
            self, "flags", "shipcrowd_clear_flag", PERMISSION, "You may not clear flags.",
            self.clear_flag_page,
        )  # fmt: skip
        return [url, *super().get_urls()]

    def clear_flag_page(self, request: HttpRequest, shipment: Shipment) -> HttpResponse:
        """Show the open flags with the form, and clear the one that is chosen."""
        flags = list(_open_flags(shipment.pk).order_by("id"))
        chosen = request.GET.get("flag") or (str(flags[0].pk) if len(flags) == 1 else None)
        form = ClearFlagForm(flags, request.POST or None, initial={"flag": chosen})
        if request.method == "POST" and self._clear(request, form):
            return redirect(shipment_url(self, shipment.pk))
        return render_decision_page(
            self, request, "admin/shipcrowd_couriers/clear_flag.html", shipment,
            "what has been dealt with?", flags=flags, form=form,
        )  # fmt: skip

    def _clear(self, request: HttpRequest, form: ClearFlagForm) -> bool:
        """Carry out the decision. Returns False where the form must be shown again."""
        assert request.user.is_authenticated
        if not form.is_valid():
            return False
        reason = form.cleaned_data["reason"]
        try:
            flag = clear(int(form.cleaned_data["flag"]), actor=request.user, reason=reason)
        except InvalidRequest as error:
            add_errors(form, error)
            return False
        except FlagNotOpen as error:
            messages.info(request, as_sentence(error))
            return True
        messages.success(request, f"Cleared: {_choice(flag)}")
        return True


def _open_flags(shipment_id: str) -> Any:
    return ShipmentFlag.objects.open().filter(shipment=shipment_id)


@page(ShipmentFlag)
class ShipmentFlagAdmin(ReadOnlyAdmin):
    company_path = "shipment__company"
    list_display = ("sentence", "shipment", "kind", "tracking_id", "raised_at", "cleared_at")
    search_fields = ("=shipment__id", "=tracking_id")
    list_filter = (WorkFilter, "kind", ("cleared_at", admin.EmptyFieldListFilter))
    list_select_related = ("shipment",)
    actions_detail = ["clear_flag"]
    fields = (
        "sentence", "shipment", "kind", "tracking_id", "order_number", "raised_at", "cleared_at",
        "cleared_by", "clear_reason",
    )  # fmt: skip
    readonly_fields = ("sentence",)

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """The columns, with a link to clear an open flag for those who may."""
        can_clear = request.user.has_perm(PERMISSION)
        return (*self.list_display, "clear_link") if can_clear else self.list_display

    @admin.display(description="What is wrong", ordering="kind")
    def sentence(self, flag: ShipmentFlag) -> str:
        return sentence_of(flag)

    @admin.display(description="")
    def clear_link(self, flag: ShipmentFlag) -> str:
        if flag.cleared_at is not None:
            return ""
        return link(self._page(flag), "Clear")

    @action(description="Clear the flag", url_path="clear", permissions=["clear_flag"])
    def clear_flag(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The button: redirect to the page of the flag's shipment, with this flag chosen."""
        flag = self.get_object(request, object_id)
        if flag is None:
            return redirect(admin_url(self, "shipcrowd_couriers_shipmentflag_changelist"))
        return redirect(self._page(flag))

    def has_clear_flag_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Whether the button is shown."""
        if not request.user.has_perm(PERMISSION):
            return False
        if object_id is None:
            return True
        return self.get_queryset(request).filter(pk=object_id, cleared_at=None).exists()

    def _page(self, flag: ShipmentFlag) -> str:
        return f"{admin_url(self, 'shipcrowd_clear_flag', flag.shipment_id)}?flag={flag.pk}"
