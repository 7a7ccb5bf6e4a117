"""The rows of related tables that a user may choose and filter by."""

from __future__ import annotations

from typing import Any, TypeVar

from django.contrib.admin import ModelAdmin, RelatedFieldListFilter
from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from couriers.admin.registration import recorded_page
from couriers.operations.staff import companies_of, visible_to

M = TypeVar("M", bound=Model)


def company_path_of(model: type[Model]) -> str:
    """Return the path from a row of the model to its company, "" where it belongs to none."""
    return str(getattr(recorded_page(model), "company_path", ""))


def visible_rows(user: Any, rows: QuerySet[M]) -> QuerySet[M]:
    """Return those of the rows that the user may see, by the page of their model."""
    path = company_path_of(rows.model)
    return visible_to(user, rows, path) if path else rows


def with_visible_choices(
    model: type[Model], items: Any, request: HttpRequest
) -> list[Any] | tuple[Any, ...]:
    """Return the items of `list_filter`. Those by a related row offer a held user its own alone.

    One by user is left out for a held user.
    """
    if companies_of(request.user) is None:
        return items
    return [_with_visible_choices(model, item) for item in items if not _is_by_user(model, item)]


def _is_by_user(model: type[Model], item: Any) -> bool:
    """Whether the filter offers users, whose names are not for one who is held to companies."""
    name = item[0] if isinstance(item, (list, tuple)) else item
    return isinstance(name, str) and _related_model(model, name) is get_user_model()


def _with_visible_choices(model: type[Model], item: Any) -> Any:
    name, kind = item if isinstance(item, (list, tuple)) else (item, RelatedFieldListFilter)
    if not isinstance(name, str) or not issubclass(kind, RelatedFieldListFilter):
        return item
    related = _related_model(model, name)
    if related is None or not company_path_of(related):
        return item
    return name, type(kind.__name__, (_VisibleChoices, kind), {})


def _related_model(model: type[Model], path: str) -> type[Model] | None:
    """Return the model that the path leads to, None where it ends at a plain column."""
    current: Any = model
    for name in path.split("__"):
        try:
            current = current._meta.get_field(name).related_model
        except FieldDoesNotExist:
            return None
        if current is None:
            return None
    return current


class _VisibleChoices(RelatedFieldListFilter):
    """Offers the related rows that the user may see."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Any:
        """The keys and names of the rows."""
        related = field.related_model
        rows = visible_rows(request.user, related._default_manager.all())
        ordering = self.field_admin_ordering(field, request, model_admin)
        return [(row.pk, str(row)) for row in rows.order_by(*ordering)]
