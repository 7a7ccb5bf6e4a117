"""The filter `?work=<list>` of every list of rows: the first page's tiles lead to it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from couriers.operations import health_lists, worklists
from couriers.operations.worklists import Worklist
from couriers.resilience.shared import RedisUnavailable

PARAMETER = "work"
REDIS_AWAY = "Redis does not answer, so nobody knows which rows belong to this list."


class WorkFilter(admin.SimpleListFilter):
    """Rows that are on a work list, or that say that something is not well."""

    title = "what needs work"
    parameter_name = PARAMETER

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(one.name, one.title) for one in _lists() if one.model is model_admin.model]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        for one in _lists():
            if one.name == self.value() and one.model is queryset.model:
                try:
                    return one.among(queryset, request.user)
                except RedisUnavailable:
                    messages.error(request, REDIS_AWAY)
                    return queryset.none()
        return queryset


def _lists() -> tuple[Worklist, ...]:
    return (*worklists.registered(), *health_lists.registered())


def url_of(one: Worklist, site: str) -> str | None:
    """Return the URL of the list on the admin site of this name, None where it has no page.

    A work list may have a page of its own. Any other is the list of its rows, filtered.
    """
    if one in worklists.registered():
        try:
            return reverse("admin:shipcrowd_worklist", args=[one.name], current_app=site)
        except NoReverseMatch:
            pass
    meta = one.model._meta
    name = f"admin:{meta.app_label}_{meta.model_name}_changelist"
    try:
        return f"{reverse(name, current_app=site)}?{PARAMETER}={one.name}"
    except NoReverseMatch:
        return None
