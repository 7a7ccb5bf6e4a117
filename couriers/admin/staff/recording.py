"""Every addition, change and deletion by an admin page goes into the audit trail.

It takes the place of Django's own history, and a row's *History* shows it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import FieldDoesNotExist
from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse

from couriers.admin.staff import sentences
from couriers.models import AuditEntry, Company, Courier, Shipment
from couriers.models.audit import HIDDEN, entry_of, is_secret, key_of, record

MAX_SHOWN = 100  # entries of one row, the newest
_CHANGES = "_shipcrowd_changes"


class RecordedChanges(admin.ModelAdmin):
    """Base of every page: what it adds, changes and deletes is in the audit trail."""

    object_history_template = "admin/shipcrowd_couriers/history.html"

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        """Django's message. What the form changes is kept for the entry, which comes next."""
        setattr(request, _CHANGES, changes_of(form, formsets or (), add=add))
        return super().construct_change_message(request, form, formsets, add)

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> None:  # type: ignore[override]
        """Record that the user added the row."""
        _before, after = getattr(request, _CHANGES, ({}, {}))
        record(obj, "add", actor=request.user, after=after)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> None:  # type: ignore[override]
        """Record that the user changed the row, if anything is different."""
        before, after = getattr(request, _CHANGES, ({}, {}))
        if after:
            record(obj, "change", actor=request.user, before=before, after=after)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:  # type: ignore[override]
        """Record that the user deleted the rows."""
        entries = []
        names = list(self.get_list_display(request) or ())
        for row in queryset:
            before = _columns(row, names)
            entry = entry_of(row, "delete", actor=request.user, before=before)
            if isinstance(row, (Company, Courier)):
                entry.company_id = entry.courier_id = None  # it is about to be gone
            entries.append(entry)
        AuditEntry.objects.bulk_create(entries)

    def get_actions(self, request: HttpRequest) -> Any:
        """The actions on selected rows. To delete them is one transaction with its entries."""
        found: Any = super().get_actions(request)
        if "delete_selected" in found:
            delete, name, description = found["delete_selected"]
            found["delete_selected"] = (_in_one_transaction(delete), name, description)
        return found

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """What was done about the row, newest first."""
        row = self.get_object(request, unquote(object_id))
        entries = [] if row is None else list(entries_about(row)[:MAX_SHOWN])
        shown = {"entries": [(entry, *_shown(entry)) for entry in entries]}
        return super().history_view(request, object_id, shown | (extra_context or {}))


def _in_one_transaction(delete: Any) -> Any:
    def delete_selected(*args: Any, **kwargs: Any) -> Any:
        with transaction.atomic():
            return delete(*args, **kwargs)

    return delete_selected


def _shown(entry: AuditEntry) -> tuple[str, str, list[str]]:
    return sentences.who(entry), sentences.what(entry), sentences.changes(entry)


def entries_about(row: Model) -> QuerySet[AuditEntry]:
    """Return the entries about a row, newest first."""
    named = Q(model=row._meta.label_lower, object_key=key_of(row))
    if isinstance(row, Shipment):
        named |= Q(shipment=row)
    if isinstance(row, Courier):
        named |= Q(courier=row)
    return AuditEntry.objects.filter(named).select_related("actor").order_by("-id")


def changes_of(
    form: Any, formsets: Iterable[Any], *, add: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the values before and after, by name, of what a form changes. No secret is in it.

    The rows that are changed on the same page are named, with their kind.
    """
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for name in form.changed_data:
        if _is_hidden(form, name):
            after[name] = HIDDEN
            continue
        if not add:
            before[name] = _plain(form.initial.get(name))
        after[name] = _plain(form.cleaned_data.get(name))
    for formset in formsets:
        kind = str(formset.model._meta.verbose_name_plural)
        changed = [row for row, _ in getattr(formset, "changed_objects", ())]
        rows = [*getattr(formset, "new_objects", ()), *changed]
        if rows:
            after[kind] = [str(row) for row in rows]
        if gone := [str(row) for row in getattr(formset, "deleted_objects", ())]:
            before[kind] = gone
    return before, after


def _is_hidden(form: Any, name: str) -> bool:
    field = form.fields.get(name)
    if field is None or isinstance(field.widget, forms.PasswordInput):
        return True
    return is_secret(getattr(getattr(form, "_meta", None), "model", None), name)


def _columns(row: Model, names: Iterable[Any]) -> dict[str, Any]:
    """Return those of the names that are columns of the row, with their values."""
    found = {}
    for name in names:
        try:
            field = row._meta.get_field(name) if isinstance(name, str) else None
        except FieldDoesNotExist:
            continue
        if field is not None and field.concrete:
            found[name] = _plain(getattr(row, field.name))
    return found


def _plain(value: Any) -> Any:
    """Return the value as JSON can hold it. A row is named by its text."""
    if isinstance(value, (QuerySet, list, tuple, set)):
        return sorted(str(one) for one in value)
    if isinstance(value, dict) or value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)
