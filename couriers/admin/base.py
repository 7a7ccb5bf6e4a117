"""What the admin's pages share: records are looked at, never edited; secrets are never shown."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline


class RecordAdmin(ModelAdmin):
    """A table of what happened. Nobody adds, changes or deletes a row by hand.

    Large tables: no full count, and no more queries than rows are shown.
    """

    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class RecordInline(TabularInline):
    """Records of a parent, looked at on its page."""

    extra = 0
    can_delete = False
    show_change_link = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def masked(digits: str, shown: int = 3) -> str:
    """A phone number with all but its last digits hidden."""
    return "•" * max(0, len(digits) - shown) + digits[-shown:]
