"""Searching a list by indexes: each of its search fields exactly, or by its beginning.

Django joins the search fields by OR, also across tables, and looks for parts of words: then every
row is read. Here each field is a statement of its own that an index answers.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from couriers.contract.text import make_storable
from couriers.operations.finding import find_shipments

SHIPMENT = "shipment__"
MAX_MATCHES = 1000  # rows of one search field
MAX_TEXT = 200  # characters


class IndexedSearchMixin(admin.ModelAdmin):
    """Searches by `search_fields`: "=column" is exact, "column" begins with the text.

    Of a row that belongs to a shipment, "=shipment__id" stands for whatever shipments are found by.
    """

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The rows of the list of which one of the search fields has the text."""
        text = make_storable(search_term).strip()
        if not text:
            return queryset, False
        fields = [str(name) for name in self.get_search_fields(request)]
        condition = Q(pk__in=[])
        if any(name.startswith(f"={SHIPMENT}") for name in fields):
            condition |= Q(shipment__in=find_shipments(request.user, text).ids)
        keys: set[Any] = set()
        for name in fields:
            if not name.startswith(f"={SHIPMENT}"):
                keys |= self._keys(queryset, name, text[:MAX_TEXT])
        return queryset.filter(condition | Q(pk__in=keys)), False

    def _keys(self, queryset: QuerySet[Any], name: str, text: str) -> set[Any]:
        """The keys of the rows of which this column has the text."""
        column = name.removeprefix("=")
        try:
            if name.startswith("="):
                _field(self.model, column).to_python(text)
                rows = queryset.filter(**{column: text})
            else:
                rows = queryset.filter(**{f"{column}__istartswith": text})
            return set(rows.order_by().values_list("pk", flat=True)[:MAX_MATCHES])
        except (ValidationError, ValueError):  # a word, where the column holds numbers
            return set()


def _field(model: type[Model], path: str) -> Any:
    """The column at the end of a path such as "account__id"."""
    first, _, rest = path.partition("__")
    field: Any = model._meta.get_field(first)
    return _field(field.related_model, rest) if rest else field
