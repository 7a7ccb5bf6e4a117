"""The page that confirms what is done to rows of a work list within the platform."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from unfold.widgets import UnfoldAdminTextInputWidget

from couriers.admin.base import admin_url
from couriers.admin.decision_pages import add_errors
from couriers.admin.worklists.act import acts_url
from couriers.admin.worklists.chosen import MAX_CHOSEN, NOTHING_CHOSEN, list_of, rows_on_list
from couriers.admin.worklists.looks import Looks, RowAct, cells_for
from couriers.contract.errors import InvalidRequest
from couriers.models.staff_notes import MAX_NOTE
from couriers.operations.decisions import MAX_REASON
from couriers.operations.operator_audit import record_row_act
from couriers.operations.worklists import Worklist


class ReasonForm(forms.Form):
    """Why it is done, where the act asks for that."""

    reason = forms.CharField(max_length=MAX_REASON, widget=UnfoldAdminTextInputWidget)


class NoteForm(forms.Form):
    """The note that each of the rows gets."""

    text = forms.CharField(label="Note", max_length=MAX_NOTE, widget=UnfoldAdminTextInputWidget)


def _form_of(act: RowAct, data: Any) -> forms.Form | None:
    """Return the form of what the act asks for, None where it asks for nothing."""
    if act.needs_note:
        return NoteForm(data)
    return ReasonForm(data) if act.needs_reason else None


class RowActMixin(admin.ModelAdmin):
    """Adds the page to the admin of operators' jobs."""

    def get_urls(self) -> list[URLPattern]:
        route = "worklists/<str:name>/<str:act_name>/"
        return [acts_url(self, self.row_act_page, route, "shipcrowd_row_act"), *super().get_urls()]

    def row_act_page(self, request: HttpRequest, name: str, act_name: str) -> HttpResponseBase:
        """Say what will be done to which rows, and do it once it is confirmed."""
        found, looks = list_of(request, name)
        act = next((one for one in looks.row_acts if one.name == act_name), None)
        if act is None:
            raise Http404("no such action")
        if not request.user.has_perm(act.permission):
            raise PermissionDenied
        given = request.POST if request.method == "POST" else request.GET
        # The checkboxes of shipments are named as the page of actions reads them.
        asked = (given.getlist("rows") or given.getlist("ids"))[:MAX_CHOSEN]
        rows = self._rows(request, found, looks, asked)
        back = admin_url(self, "shipcrowd_worklist", name)
        if not rows:
            gone = "Nothing was done: the rows are no longer on the list."
            messages.info(request, gone if asked else NOTHING_CHOSEN)
            return redirect(back)
        form = _form_of(act, request.POST or None)
        if request.method == "POST" and self._run(request, found, act, rows, form, len(asked)):
            return redirect(back)
        cells = looks.cells(rows, self)
        context = {
            **self.admin_site.each_context(request),
            "title": f"{act.label}: {len(rows)} of “{found.title}”",
            "act": act,
            "headers": looks.headers,
            "rows": [(one.pk, cells_for(request.user, cells[one.pk])) for one in rows],
            "gone": len(set(asked)) - len(rows),
            "form": form,
            "back": back,
        }  # fmt: skip
        return TemplateResponse(request, "admin/shipcrowd_couriers/row_act.html", context)

    def _rows(
        self, request: HttpRequest, found: Worklist, looks: Looks, keys: list[str]
    ) -> list[Any]:
        """The chosen rows that are still on the list, so none that somebody has mended since."""
        rows = rows_on_list(request.user, found, keys)
        return list(rows.select_related(*looks.related) if looks.related else rows)

    def _run(
        self, request: HttpRequest, found: Worklist, act: RowAct, rows: list[Any],
        form: forms.Form | None, asked: int,
    ) -> bool:  # fmt: skip
        """Do it, and say what was done. Returns False where the form must be shown again."""
        assert request.user.is_authenticated
        if form is not None and not form.is_valid():
            return False
        given = form.cleaned_data if form else {}
        reason = given.get("reason", "")
        try:
            record_row_act(request.user, found.name, act.name, reason, [one.pk for one in rows])
            said = act.run(rows, request.user, given.get("text", reason))
        except InvalidRequest as error:
            assert form is not None
            add_errors(form, error)
            return False
        if gone := asked - len(rows):
            said += f" {gone} {'was' if gone == 1 else 'were'} no longer on the list."
        messages.success(request, said)
        return True
