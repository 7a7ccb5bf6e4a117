"""The inbox for operators: what came, what became of it, and why it failed."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from webhooks.models import WebhookEvent
from webhooks.payloads import NotAnEvent, read

PERSONAL = ("name", "phone", "mobile", "address", "email", "consignee", "customer", "receiver")


def without_people(value: Any) -> Any:
    """A payload with every field that may tell of a person hidden."""
    if isinstance(value, dict):
        return {
            key: "•••" if any(p in str(key).casefold() for p in PERSONAL) else without_people(part)
            for key, part in value.items()
        }
    return [without_people(part) for part in value] if isinstance(value, list) else value


@admin.register(WebhookEvent)
class WebhookEventAdmin(ModelAdmin):
    show_full_result_count = False
    list_display = ("id", "topic", "state", "attempts", "account", "received_at", "reason")
    search_fields = ("=id", "=account__id")
    list_filter = ("state", "topic", "account__courier")
    list_select_related = ("account",)
    exclude = ("body", "content_hash")
    readonly_fields = ("payload",)

    @admin.display(description="Payload")
    def payload(self, event: WebhookEvent) -> str:
        try:
            shown = without_people(read(bytes(event.body)))
        except NotAnEvent as error:
            return f"not shown: the body {error}"
        return json.dumps(shown, indent=1, ensure_ascii=False)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
