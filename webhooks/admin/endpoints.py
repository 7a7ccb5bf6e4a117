"""The admin's pages of the outbox: endpoints with what is done to them, and the log of deliveries.

A secret is on no page. It belongs to the merchant, who gets a new one over the API.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils import timezone
from unfold.decorators import action
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from couriers.admin.base import ReadOnlyAdmin, admin_url
from couriers.admin.companies.account_pages import render_decision
from couriers.admin.registration import page
from couriers.admin.today.work_filter import WorkFilter
from couriers.operations.decisions import MAX_REASON
from couriers.resilience.unavailable import page_while_away
from webhooks.models import WebhookDelivery, WebhookEndpoint
from webhooks.outbox import endpoints

MAX_HOURS = 30 * 24  # for as long as events are kept
ENABLE, DISABLE, TEST, RESEND = "enable", "disable", "test", "resend"


class OperateForm(forms.Form):
    """What is done to an endpoint, and why."""

    act = forms.ChoiceField(
        label="What",
        choices=[
            (TEST, "Send a test"),
            (RESEND, "Send the events of the last hours again"),
            (ENABLE, "Enable it: it is sent what has happened since it was disabled"),
            (DISABLE, "Disable it"),
        ],
        widget=forms.RadioSelect,
    )
    hours = forms.IntegerField(
        label="Hours (to send again alone)",
        required=False,
        min_value=1,
        max_value=MAX_HOURS,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    reason = forms.CharField(max_length=MAX_REASON, widget=UnfoldAdminTextInputWidget)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("act") == RESEND and not data.get("hours"):
            self.add_error("hours", "Say how many hours.")
        return data


@page(WebhookEndpoint)
class WebhookEndpointAdmin(ReadOnlyAdmin):
    company_path = "company"
    list_display = (
        "address", "company", "is_test", "enabled", "disabled_by", "disabled_at", "failing_since",
    )  # fmt: skip
    list_filter = (WorkFilter, "enabled", "disabled_by", "is_test")
    list_select_related = ("company",)
    search_fields = ("=id", "=company__slug")
    fields = (
        "id", "company", "address", "description", "events", "is_test", "enabled", "disabled_by",
        "disabled_at", "failing_since", "failures", "next_attempt_at", "previous_secret_until",
        "created_at", "updated_at",
    )  # fmt: skip
    readonly_fields = ("address",)
    actions_detail = ["operate"]

    @admin.display(description="URL", ordering="url")
    def address(self, endpoint: WebhookEndpoint) -> str:
        return endpoint.shown_url

    @action(description="Enable, test, send again", url_path="ask", permissions=["operate"])
    def operate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The button: redirect to the page."""
        return redirect(admin_url(self, "shipcrowd_operate_endpoint", object_id))

    def has_operate_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whether the button is shown."""
        return bool(request.user.has_perm(endpoints.PERMISSION))

    def get_urls(self) -> list[URLPattern]:
        @page_while_away
        @transaction.non_atomic_requests
        def view(request: HttpRequest, pk: str) -> HttpResponseBase:
            if not self.has_operate_permission(request):
                raise PermissionDenied("You may not operate endpoints.")
            endpoint = get_object_or_404(self.get_queryset(request), pk=unquote(pk))
            return self._operate_page(request, endpoint)

        url = path(
            "<str:pk>/operate/", self.admin_site.admin_view(view), name="shipcrowd_operate_endpoint"
        )
        return [url, *super().get_urls()]

    def _operate_page(self, request: HttpRequest, endpoint: WebhookEndpoint) -> HttpResponseBase:
        """Show what is so, and do what the form says."""
        back = admin_url(self, "shipcrowd_webhooks_webhookendpoint_change", endpoint.pk)
        form = OperateForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            messages.success(request, _do(endpoint, form.cleaned_data, request.user))
            return redirect(back)
        waiting = endpoint.deliveries.filter(state="pending").count()
        facts = (
            f"{endpoint.shown_url} of {endpoint.company}",
            f"Disabled: {endpoint.get_disabled_by_display()}." if not endpoint.enabled else "",
            f"{waiting} events wait for it." if waiting else "",
        )
        return render_decision(
            self, request, "What is to be done?", facts=facts, form=form, button="Do it", back=back
        )


def _do(endpoint: WebhookEndpoint, given: dict[str, Any], actor: Any) -> str:
    """Carry out what the form says; return the words for it."""
    reason = given["reason"]
    if given["act"] == TEST:
        try:
            event = endpoints.ping(endpoint, actor=actor, reason=reason)
        except endpoints.EndpointIsDisabled:
            return "The endpoint is disabled. Nothing was sent."
        return f"The event {event.pk} is sent. The deliveries show what came of it."
    if given["act"] == RESEND:
        since = timezone.now() - dt.timedelta(hours=given["hours"])
        resent = endpoints.resend(endpoint, since=since, actor=actor, reason=reason)
        return f"{resent.count} events are sent again."
    if given["act"] == ENABLE:
        endpoints.enable(endpoint, actor=actor, reason=reason)
        return "The endpoint is enabled."
    endpoints.disable_by_hand(endpoint, actor=actor, reason=reason)
    return "The endpoint is disabled."


@page(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    company_path = "endpoint__company"
    list_display = (
        "id", "event", "endpoint", "state", "attempts", "status_code", "error", "attempted_at",
    )  # fmt: skip
    list_filter = ("state",)
    search_fields = ("=event__id", "=endpoint__id", "=event__shipment__id")
    fields = (
        "event", "endpoint", "ordered_by", "state", "attempts", "status_code", "answer", "error",
        "milliseconds", "attempted_at", "next_attempt_at", "created_at",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookDelivery]:
        rows: QuerySet[WebhookDelivery] = super().get_queryset(request)
        hidden = ("endpoint__secret", "endpoint__previous_secret")
        return rows.select_related("event", "endpoint__company").defer(*hidden)
