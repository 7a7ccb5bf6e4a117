"""The inbox for operators: what came, what became of it and why, and a button to try again."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.decorators import action

from couriers.admin.base import KnownValuesFilter, RecordAdmin
from couriers.contract.receiver import Topic
from couriers.contract.registry import CourierFactory
from webhooks.masking import without_people
from webhooks.models import WebhookEvent
from webhooks.payloads import NotAnEvent, read
from webhooks.replay import MANY, PERMISSION, replay

SHOWN = 20


class TopicFilter(KnownValuesFilter):
    title = parameter_name = "topic"
    values = tuple(Topic)


@admin.register(WebhookEvent)
class WebhookEventAdmin(RecordAdmin):
    list_display = ("id", "topic", "state", "attempts", "account", "received_at", "reason")
    search_fields = ("=id", "=account__id")
    list_filter = ("state", TopicFilter, "account__courier")
    list_per_page = 200  # as many can be replayed at once
    exclude = ("body", "content_hash")
    readonly_fields = ("payload",)
    actions = ["replay_selected"]
    actions_detail = ["replay_one"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookEvent]:
        return WebhookEvent.objects.to_look_at()

    @admin.display(description="Payload")
    def payload(self, event: WebhookEvent) -> str:
        try:
            shown = without_people(
                read(bytes(event.body)), CourierFactory.receiver(event.account.courier_id)
            )
        except NotAnEvent as error:
            return f"not shown: the body {error}"
        return json.dumps(shown, indent=1, ensure_ascii=False)

    def has_replay_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm(PERMISSION))

    @admin.action(description="Replay the selected callbacks", permissions=["replay"])
    def replay_selected(
        self, request: HttpRequest, queryset: QuerySet[WebhookEvent]
    ) -> HttpResponse | None:
        """Ask first, then make up to a thousand due again."""
        ids = list(queryset.order_by("-pk").values_list("pk", flat=True)[: MANY + 1])
        if len(ids) > MANY:
            messages.error(request, f"Select at most {MANY} callbacks at once.")
            return None
        if "sure" in request.POST:
            self._replay(request, ids)
            return None
        return self._question(request, ids, {"action": "replay_selected"})

    @action(description="Replay", url_path="ask-to-replay", permissions=["replay"])
    def replay_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Lead from the callback's page to the question."""
        return redirect("admin:shipcrowd_replay_event", object_id)

    def get_urls(self) -> list[URLPattern]:
        page = path(
            "<int:pk>/replay/",
            self.admin_site.admin_view(self.replay_page),
            name="shipcrowd_replay_event",
        )
        return [page, *super().get_urls()]

    def replay_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The question for one callback."""
        back = reverse("admin:shipcrowd_webhooks_webhookevent_change", args=[pk])
        if not self.has_replay_permission(request):
            messages.error(request, "You may not replay callbacks.")
            return redirect(back)
        if request.method == "POST" and "sure" in request.POST:
            self._replay(request, [pk])
            return redirect(back)
        return self._question(request, [pk], {})

    def _replay(self, request: HttpRequest, ids: list[int]) -> None:
        assert request.user.is_authenticated
        count = replay(ids, actor=request.user)
        LogEntry.objects.log_actions(
            user_id=request.user.pk,
            queryset=WebhookEvent.objects.filter(pk__in=ids),
            action_flag=CHANGE,
            change_message="Replayed.",
        )
        messages.success(request, f"{count} due again.")

    def _question(
        self, request: HttpRequest, ids: list[int], hidden: dict[str, str]
    ) -> TemplateResponse:
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": f"Replay {len(ids)} callback{'' if len(ids) == 1 else 's'}?",
            "events": WebhookEvent.objects.to_look_at().filter(pk__in=ids)[:SHOWN],
            "more": max(0, len(ids) - SHOWN),
            "ids": ids if hidden else [],
            "hidden": hidden,
            "back": reverse("admin:shipcrowd_webhooks_webhookevent_changelist"),
        }
        return TemplateResponse(request, "admin/webhooks/replay.html", context)
