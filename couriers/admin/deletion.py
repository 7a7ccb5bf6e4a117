"""What the page before a deletion names: rows, without those that only tie two rows together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.utils.text import capfirst


class DeletionMixin(admin.ModelAdmin):
    """Leaves rows of many-to-many tables out, which have no names: there may be hundreds."""

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """The rows that go too, how many of each kind, and what prevents the deletion."""
        rows, counts, missing, protected = super().get_deleted_objects(objs, request)
        ties = [model._meta for model in apps.get_models(include_auto_created=True)]
        ties = [meta for meta in ties if meta.auto_created]
        counts = {
            name: count
            for name, count in counts.items()
            if name not in {str(meta.verbose_name_plural) for meta in ties}
        }
        named = tuple(f"{capfirst(meta.verbose_name)}: " for meta in ties)
        return _without(rows, named), counts, missing, protected


def _without(rows: Iterable[Any], beginnings: Sequence[str]) -> list[Any]:
    """Return the nested lists of Django without the texts that begin so."""
    return [
        _without(row, beginnings) if isinstance(row, list) else row
        for row in rows
        if isinstance(row, list) or not str(row).startswith(tuple(beginnings))
    ]
