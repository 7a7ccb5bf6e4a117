"""The page on which an operator changes which companies may book with a courier.

A button on the courier's own page opens it. The courier's page and those of companies show the
roll-out as it is.
"""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, URLPattern, path
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import action
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from couriers.admin.base import ReadOnlyInline, admin_url, link
from couriers.admin.decision_pages import add_errors
from couriers.contract.errors import InvalidRequest
from couriers.models import AuditEntry, Company, Courier, CourierAccount
from couriers.models.account import Rollout
from couriers.models.rollout import CourierRollout
from couriers.operations import doubt
from couriers.operations.circuits import not_closed
from couriers.operations.decisions import MAX_REASON
from couriers.operations.rollouts import (
    PERMISSION,
    CompanyAtCourier,
    change_rollout,
    count_enabled,
    couriers_of,
    restrictions,
    state_of,
)
from couriers.operations.staff import companies_of

MAX_CIRCUITS = 200  # accounts whose circuits the page asks for, those changed last
REFUSAL = "You may not change which companies may book with a courier."
MAX_SLUGS = 100_000  # characters of the field with the companies


class RolloutForm(forms.Form):
    """The companies that may book, and why that is changed.

    `seen` is the roll-out that the operator was shown. Where another operator has changed it since,
    nothing is done.
    """

    rollout = forms.ChoiceField(
        label="Companies that may book", choices=CourierRollout.choices, widget=forms.RadioSelect
    )
    percentage = forms.IntegerField(
        min_value=0, max_value=100, required=False, widget=UnfoldAdminIntegerFieldWidget
    )
    companies = forms.CharField(
        label="Named companies (one slug in each line)",
        required=False,
        max_length=MAX_SLUGS,
        widget=UnfoldAdminTextareaWidget,
    )
    reason = forms.CharField(max_length=MAX_REASON, widget=UnfoldAdminTextInputWidget)
    seen = forms.CharField(widget=forms.HiddenInput, max_length=MAX_SLUGS)

    def clean(self) -> dict[str, Any]:
        """Refuse a percentage that is missing, and one that would not count."""
        cleaned = super().clean() or {}
        wants_percentage = cleaned.get("rollout") == CourierRollout.PERCENTAGE
        if "percentage" in cleaned and wants_percentage != (cleaned["percentage"] is not None):
            text = "is missing" if wants_percentage else "is only for a percentage: leave it blank"
            self.add_error("percentage", ValidationError(text))
        return cleaned


def _initial(courier: Courier) -> dict[str, Any]:
    state = state_of(courier)
    with_percentage = state.rollout == CourierRollout.PERCENTAGE
    return {
        "rollout": state.rollout.value,
        "percentage": state.percentage if with_percentage else None,
        "companies": "\n".join(state.companies),
        "seen": json.dumps(state.as_details()),
    }


class RolloutMixin(admin.ModelAdmin):
    """Adds the page to the admin of couriers, and a button to a courier."""

    @action(
        description="Change the roll-out", url_path="change-rollout", permissions=["change_rollout"]
    )
    def change_rollout(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The button: redirect to the page."""
        return redirect(admin_url(self, "shipcrowd_rollout", object_id))

    def has_change_rollout_permission(
        self, request: HttpRequest, object_id: str | None = None
    ) -> bool:
        """Whether the user may change it: not one held to companies, since it concerns all."""
        return request.user.has_perm(PERMISSION) and for_all_companies(request)

    def get_urls(self) -> list[URLPattern]:
        def view(request: HttpRequest, pk: str) -> HttpResponse:
            return self.rollout_page(request, unquote(pk))

        url = path("<str:pk>/rollout/", self.admin_site.admin_view(view), name="shipcrowd_rollout")
        return [url, *super().get_urls()]

    def rollout_page(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Show the form, and change the roll-out when it is sent."""
        courier = get_object_or_404(Courier, pk=pk)
        if not self.has_change_rollout_permission(request):
            raise PermissionDenied(REFUSAL)
        back = admin_url(self, "shipcrowd_couriers_courier_change", courier.pk)
        form = RolloutForm(request.POST or None, initial=_initial(courier))
        if request.method == "POST" and self._change(request, courier, form):
            return redirect(back)
        enabled, accounts = count_enabled(courier.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": f"{courier.name}: which companies may book?",
            "courier": courier,
            "state": state_of(courier),
            "restriction": next((r for r in restrictions() if r.courier == courier), None),
            "circuits": _open_circuits(self, request, courier),
            "enabled": enabled,
            "accounts": accounts,
            "form": form,
            "back": back,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/shipcrowd_couriers/rollout.html", context)

    def _change(self, request: HttpRequest, courier: Courier, form: RolloutForm) -> bool:
        """Carry out the decision. Returns False where the form must be shown again."""
        assert request.user.is_authenticated
        if not form.is_valid():
            return False
        given = form.cleaned_data
        try:
            change = change_rollout(
                courier.pk,
                CourierRollout(given["rollout"]),
                percentage=given["percentage"] or 0,
                companies=given["companies"].split(),
                actor=request.user,
                reason=given["reason"],
                seen=given["seen"],
            )
        except InvalidRequest as error:
            add_errors(form, error)
            return False
        text = f"{courier.name} takes new bookings of {change.after}."
        messages.success(request, text if change.changed else f"Unchanged: {text}")
        return True


def _open_circuits(
    model_admin: admin.ModelAdmin, request: HttpRequest, courier: Courier
) -> list[tuple[str, str]]:
    """Return the accounts that the courier is not called for now, and where each is mended.

    The URL is "" for a user who may not close a circuit.
    """
    accounts = CourierAccount.objects.filter(courier=courier).select_related("company", "courier")
    may_close = request.user.has_perm(doubt.PERMISSION)
    return [
        (
            str(one),
            admin_url(model_admin, "shipcrowd_close_circuit", one.pk) if may_close else "",
        )
        for one in not_closed(accounts.order_by("-updated_at")[:MAX_CIRCUITS])
    ]


class RolloutAuditInline(ReadOnlyInline):
    """What was decided about a courier, on its page."""

    model = AuditEntry
    verbose_name_plural = "decisions"
    fields = ("at", "actor", "action", "reason", "details")
    readonly_fields = fields
    per_page = 10


def may_book_text(courier: Courier) -> str:
    """Return which companies may book with the courier, in one phrase."""
    return str(state_of(courier))


def for_all_companies(request: HttpRequest) -> bool:
    """Whether the user sees what concerns all companies, such as the names in a roll-out."""
    return companies_of(request.user) is None


def couriers_of_company(model_admin: admin.ModelAdmin, company: Company) -> SafeString | str:
    """Return the couriers that the company has an account with, and whether it may book with each.

    Each links to the courier's page, where the site has one.
    """
    found = couriers_of(company)
    if not found:
        return "-"
    rows = ((_courier_link(model_admin, one.account.courier), _answer(one)) for one in found)
    return format_html_join("", "<div>{}: {}</div>", rows)


def _answer(one: CompanyAtCourier) -> str:
    if one.obstacles:
        return f"may not book, since {' and '.join(one.obstacles)}"
    if one.account.rollout == Rollout.CANARY:
        return f"may book {one.account.canary_percent} per cent of its orders"
    return "may book"


def _courier_link(model_admin: admin.ModelAdmin, courier: Courier) -> str:
    try:
        url = admin_url(model_admin, "shipcrowd_couriers_courier_change", courier.pk)
    except NoReverseMatch:
        return courier.name
    return link(url, courier.name)
