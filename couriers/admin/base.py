"""Base classes of the admin: pages and their buttons, filters, links and masking."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.db.models import Model, QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin, TabularInline
from unfold.dataclasses import UnfoldAction
from unfold.paginator import InfinitePaginator

from couriers.admin.deletion import DeletionMixin
from couriers.admin.export import ExportMixin
from couriers.admin.searching import IndexedSearchMixin
from couriers.admin.staff.recording import RecordedChanges
from couriers.admin.staff.visibility import visible_rows, with_visible_choices
from couriers.operations.staff import visible_to
from couriers.resilience.unavailable import page_while_away


class ListedLookups(RecordedChanges):
    """Filters a list by the columns of `list_filter` and `date_hierarchy` alone.

    Django lets a user who may view a list filter it by any column of its table, and so find out a
    hidden value letter by letter: `?hashed_key__startswith=`.
    """

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """The list, and the actions on its rows. One that the user may not take is a 403."""
        name = request.POST.get("action")
        if name and name not in self.get_actions(request):
            raise PermissionDenied(f"You may not do this: {name}.")
        return super().changelist_view(request, extra_context)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Whether the list may be filtered so. A name that is no column is ignored later."""
        listed = {_parameter_of(item) for item in self.get_list_filter(request)}
        path = column_path(self.model, lookup)
        if path and path not in {*listed, self.date_hierarchy}:
            return False
        return super().lookup_allowed(lookup, value, request)


def _parameter_of(item: Any) -> str:
    """Return what an item of `list_filter` filters by: a column, or a filter's own parameter."""
    if isinstance(item, (list, tuple)):
        return str(item[0])
    return str(getattr(item, "parameter_name", item))


def column_path(model: type[Model], lookup: str) -> str:
    """Return the columns of a lookup, `account__courier` of `account__courier__id__exact`.

    Whatever follows the last column is left out, and so is the key of the row that a relation leads
    to. Returns "" where the lookup begins with no column.
    """
    names: list[str] = []
    current: Any = model
    for name in lookup.split(LOOKUP_SEP):
        try:
            field = current._meta.pk if name == "pk" else current._meta.get_field(name)
        except FieldDoesNotExist:
            break
        if not (names and field is current._meta.pk):
            names.append(field.name)
        if not field.related_model:
            break
        current = field.related_model
    return LOOKUP_SEP.join(names)


class PageAdmin(ExportMixin, IndexedSearchMixin, ListedLookups, DeletionMixin, ModelAdmin):
    """Base of the admin page of every model.

    A user who is held to companies sees the rows of these alone. `company_path` leads from a row to
    its company; it is "" for rows that belong to none, such as couriers.

    Django's links quote a row's key: a list links `shp_01…` as `shp_5F01…`. A button's method and
    its permission (`has_<name>_permission`) get the key as it is stored.
    """

    company_path: ClassVar[str] = ""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The rows that the user may see."""
        rows = super().get_queryset(request)
        return visible_to(request.user, rows, self.company_path) if self.company_path else rows

    def get_list_filter(self, request: HttpRequest) -> Any:
        """The filters. One by company offers the user's own companies."""
        return with_visible_choices(self.model, super().get_list_filter(request), request)

    def get_field_queryset(self, db: Any, db_field: Any, request: HttpRequest) -> Any:
        """The rows that a field of the form offers and accepts: those that the user may see."""
        rows = super().get_field_queryset(db, db_field, request)
        if rows is None:
            rows = db_field.remote_field.model._default_manager.all()
        return visible_rows(request.user, rows)

    def get_urls(self) -> list[URLPattern]:
        """The pages' URLs. Each page answers 503 while the database cannot serve."""
        urls: list[URLPattern] = super().get_urls()
        for url in urls:
            url.callback = page_while_away(url.callback)
        return urls

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[UnfoldAction]:
        """The buttons of the row that the user may press. `object_id` is as it is in the URL."""
        return super().get_actions_detail(request, unquote(str(object_id)))

    def get_unfold_action(self, action: str) -> UnfoldAction:
        """The action of this name, called with the row's key as it is stored."""
        found = super().get_unfold_action(action)
        return dataclasses.replace(found, method=_with_stored_key(found.method))


def _with_stored_key(method: Any) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if "object_id" in kwargs:
            kwargs["object_id"] = unquote(kwargs["object_id"])
        return method(request, *args, **kwargs)

    return call


class ReadOnlyAdmin(PageAdmin):
    """The admin of a table whose rows cannot be added, changed or deleted by hand.

    The table may be large, so a list reads the rows of its page and nothing else. Rows are not
    counted, and the values to filter by come from the code, not from the table.
    """

    show_full_result_count = False
    sortable_by = ()  # any other order than its own would read the table
    paginator = InfinitePaginator
    list_disable_select_all = True  # the number of rows is not known
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class FixedValuesFilter(admin.SimpleListFilter):
    """Filters by a field without choices, by values that the subclass lists.

    Django's own filter would look for the field's values in the whole table. A subclass sets
    `title`, `parameter_name` (the field's name) and `values`.
    """

    values: ClassVar[Iterable[str]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, value.replace("_", " ").capitalize()) for value in self.values]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        if self.value() is None:
            return queryset
        return queryset.filter(**{str(self.parameter_name): self.value()})


class ReadOnlyInline(TabularInline):
    """Rows that are shown on the page of the row they belong to, and cannot be changed."""

    extra = 0
    can_delete = False
    show_change_link = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def admin_url(model_admin: admin.ModelAdmin, name: str, *args: Any) -> str:
    """The URL of an admin page on the site of the model admin. `name` is without a namespace.

    `args` are keys as they are stored; they are quoted as Django's links are. A project can have
    several sites, and its site can have another name than "admin".
    """
    quoted = [quote(arg) for arg in args]
    return reverse(f"admin:{name}", args=quoted, current_app=model_admin.admin_site.name)


def link(url: str, text: str) -> SafeString:
    """A link for a cell of a list or of a page."""
    return format_html(
        '<a class="text-primary-600 dark:text-primary-500 font-medium" href="{}">{}</a>', url, text
    )


def mask_phone(digits: str, shown: int = 3) -> str:
    """The phone number with all but its last `shown` digits hidden."""
    return "•" * max(0, len(digits) - shown) + digits[-shown:]
