"""What the admin's pages share: records are looked at, never edited; secrets are never shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline
from unfold.paginator import InfinitePaginator


class RecordAdmin(ModelAdmin):
    """A table of what happened. Nobody adds, changes or deletes a row by hand.

    Large tables: a page is read and nothing else. No rows are counted, so the list is turned one
    page at a time, and filters are by what the code knows, not by what is in the table.
    """

    show_full_result_count = False
    paginator = InfinitePaginator
    list_disable_select_all = True  # nobody knows how many that would be
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class KnownValuesFilter(admin.SimpleListFilter):
    """By a field of few values, which Django would look for in the whole table.

    A subclass sets `title`, `parameter_name`, the field's own, and `values`.
    """

    values: ClassVar[Iterable[str]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, value.replace("_", " ").capitalize()) for value in self.values]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        if self.value() is None:
            return queryset
        return queryset.filter(**{str(self.parameter_name): self.value()})


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
