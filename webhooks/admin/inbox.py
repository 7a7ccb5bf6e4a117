"""The admin's pages of the inbox: callbacks with state and reason, and replay."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from unfold.decorators import action

from couriers.admin.base import FixedValuesFilter, ReadOnlyAdmin, admin_url
from couriers.admin.registration import page
from couriers.admin.today.work_filter import WorkFilter
from couriers.contract.receiver import Topic
from couriers.contract.registry import CourierFactory
from couriers.operations.staff import visible_to
from webhooks.masking import mask_payload
from webhooks.models import WebhookEvent
from webhooks.payloads import UnreadableBody, parse_body
from webhooks.replay import MAX_EVENTS, PERMISSION, replay

MAX_LISTED = 20  # callbacks that the confirmation page lists


class TopicFilter(FixedValuesFilter):
    title = parameter_name = "topic"
    values = tuple(Topic)


@page(WebhookEvent)
class WebhookEventAdmin(ReadOnlyAdmin):
    company_path = "account__company"
    list_display = ("id", "topic", "state", "attempts", "account", "received_at", "reason")
    search_fields = ("=id", "=account__id")
    list_filter = (WorkFilter, "state", TopicFilter, "account__courier")
    list_per_page = 200  # a whole page can be selected for one replay
    exclude = ("body", "content_hash")
    readonly_fields = ("payload",)
    actions = ["replay_selected"]
    actions_detail = ["replay_one"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookEvent]:
        rows = WebhookEvent.objects.for_display()
        return visible_to(request.user, rows, self.company_path)

    @admin.display(description="Payload")
    def payload(self, event: WebhookEvent) -> str:
        receiver = CourierFactory.receiver(event.account.courier_id)
        try:
            masked = mask_payload(parse_body(event.read_body()), receiver)
        except UnreadableBody as error:
            return f"not shown: the body {error}"
        return json.dumps(masked, indent=1, ensure_ascii=False)

    def has_replay_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm(PERMISSION))

    @admin.action(description="Replay the selected callbacks", permissions=["replay"])
    def replay_selected(
        self, request: HttpRequest, queryset: QuerySet[WebhookEvent]
    ) -> HttpResponse | None:
        """Show the confirmation page, then replay up to a thousand callbacks."""
        ids = list(queryset.order_by("-pk").values_list("pk", flat=True)[: MAX_EVENTS + 1])
        if len(ids) > MAX_EVENTS:
            messages.error(request, f"Select at most {MAX_EVENTS} callbacks at once.")
            return None
        if "confirmed" in request.POST:
            self._replay(request, ids)
            return None
        return self._confirmation_page(request, ids, {"action": "replay_selected"})

    @action(description="Replay", url_path="ask-to-replay", permissions=["replay"])
    def replay_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Redirect from the callback's page to the confirmation page."""
        return redirect(admin_url(self, "shipcrowd_replay_event", object_id))

    def get_urls(self) -> list[URLPattern]:
        page = path(
            "<int:pk>/replay/",
            self.admin_site.admin_view(self.replay_page),
            name="shipcrowd_replay_event",
        )
        return [page, *super().get_urls()]

    def replay_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Confirm and replay one callback."""
        back = admin_url(self, "shipcrowd_webhooks_webhookevent_change", pk)
        if not self.has_replay_permission(request):
            raise PermissionDenied("You may not replay callbacks.")
        get_object_or_404(self.get_queryset(request), pk=pk)
        if request.method == "POST" and "confirmed" in request.POST:
            self._replay(request, [pk])
            return redirect(back)
        return self._confirmation_page(request, [pk], {})

    def _replay(self, request: HttpRequest, ids: list[int]) -> None:
        assert request.user.is_authenticated
        count = replay(ids, actor=request.user)
        messages.success(request, f"{count} callback{'' if count == 1 else 's'} replayed.")

    def _confirmation_page(
        self, request: HttpRequest, ids: list[int], hidden: dict[str, str]
    ) -> TemplateResponse:
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": f"Replay {len(ids)} callback{'' if len(ids) == 1 else 's'}?",
            "events": self.get_queryset(request).filter(pk__in=ids)[:MAX_LISTED],
            "more": max(0, len(ids) - MAX_LISTED),
            "ids": ids if hidden else [],
            "hidden": hidden,
            "back": admin_url(self, "shipcrowd_webhooks_webhookevent_changelist"),
        }
        return TemplateResponse(request, "admin/shipcrowd_webhooks/replay.html", context)
