"""The pages of operators' jobs: their list, the progress and the report of each, and its CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from unfold.decorators import action, display

from couriers.admin.base import ReadOnlyAdmin, admin_url, link
from couriers.admin.registration import page
from couriers.admin.worklists.act import ActMixin
from couriers.admin.worklists.page import WorklistMixin
from couriers.admin.worklists.row_acts import RowActMixin
from couriers.contract.text import without_formula
from couriers.fulfilment.operator_jobs import counts_of
from couriers.models import OperatorJob, OperatorJobItem
from couriers.models.job import JobState
from couriers.models.operator_job import ItemOutcome
from couriers.operations.staff import companies_of, visible_to
from couriers.resilience.unavailable import page_while_away

REFRESH = 3  # seconds until the page of a job that has not ended shows its state anew
PER_PAGE = 50
COLUMNS = ("order_number", "shipment_id", "company", "courier", "outcome", "ended_at", "words")
OUTCOME_COLOURS = {
    ItemOutcome.WAITING: "default",
    ItemOutcome.DONE: "success",
    ItemOutcome.ACCEPTED: "info",
    ItemOutcome.REFUSED: "warning",
    ItemOutcome.CHANGED: "warning",
    ItemOutcome.UNKNOWN: "danger",
    ItemOutcome.GIVEN_UP: "danger",
}
STATE_COLOURS = {JobState.PENDING: "info", JobState.DONE: "success"}


class _Echo:
    """A file for csv.writer that returns each line instead of keeping it."""

    def write(self, line: str) -> str:
        return line


@page(OperatorJob)
class OperatorJobAdmin(WorklistMixin, RowActMixin, ActMixin, ReadOnlyAdmin):
    """Jobs. What was asked with is not shown: it may contain the consignee's data."""

    list_display = (
        "id", "act", "actor", "state_label", "total", "created_at", "finished_at", "report",
    )  # fmt: skip
    actions_detail = ["open_report"]
    search_fields = ("=id",)
    list_filter = ("state", "act")
    list_select_related = ("actor",)
    fields = (
        "id", "act", "actor", "state", "total", "day", "slot", "worklist", "filters", "created_at",
        "finished_at",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[OperatorJob]:
        """The jobs that the user may see: who is held to companies sees its own alone."""
        rows = super().get_queryset(request)
        return rows if companies_of(request.user) is None else rows.filter(actor=request.user)

    @admin.display(description="Report")
    def report(self, job: OperatorJob) -> str:
        return link(admin_url(self, "shipcrowd_operator_job", job.pk), "Open")

    @action(description="Open the report", url_path="report")
    def open_report(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """The button: redirect to the report."""
        return redirect(admin_url(self, "shipcrowd_operator_job", object_id))

    @display(description="State", ordering="state", label=STATE_COLOURS)
    def state_label(self, job: OperatorJob) -> tuple[str, str]:
        return job.state, job.get_state_display()

    def get_urls(self) -> list[URLPattern]:
        return [
            self._url("<str:pk>/progress/", self.progress_page, "shipcrowd_operator_job"),
            self._url("<str:pk>/report.csv", self.report_csv, "shipcrowd_operator_job_csv"),
            *super().get_urls(),
        ]

    def _url(self, route: str, view: Any, name: str) -> URLPattern:
        return path(route, page_while_away(self.admin_site.admin_view(view)), name=name)

    def _job(self, request: HttpRequest, pk: str) -> OperatorJob:
        job = get_object_or_404(self.get_queryset(request), pk=unquote(pk))
        if job.actor_id != request.user.pk and not self.has_view_permission(request, job):
            raise PermissionDenied
        return job

    def _items(self, request: HttpRequest, job: OperatorJob) -> QuerySet[OperatorJobItem]:
        rows = visible_to(request.user, job.items.all(), "shipment__company")
        return rows.select_related("shipment__company", "shipment__courier").order_by("position")

    def progress_page(self, request: HttpRequest, pk: str) -> HttpResponseBase:
        """How far the job is, read anew until it has ended; then its report."""
        job = self._job(request, pk)
        counts = counts_of(job)
        ended = sum(counts.values()) - counts.get(ItemOutcome.WAITING, 0)
        outcome = request.GET.get("outcome", "")
        rows = self._items(request, job)
        if outcome in ItemOutcome.values:
            rows = rows.filter(outcome=outcome)
        after = request.GET.get("after", "")
        if after.isdecimal() and len(after) < 10:
            rows = rows.filter(position__gt=int(after))
        items = list(rows[: PER_PAGE + 1])
        is_open = job.state == JobState.PENDING
        context = {
            **self.admin_site.each_context(request),
            "title": f"{job.get_act_display()}: {job.total} shipment{'' if job.total == 1 else 's'}"
            if job.filled_at
            else f"{job.get_act_display()}: reading the list",
            "job": job,
            "is_open": is_open,
            "refresh": REFRESH if is_open else None,
            "ended": ended,
            "percent": 100 * ended // job.total if job.total else 0 if is_open else 100,
            "counts": [(one, counts[one]) for one in counts],
            "outcome": outcome,
            "items": items[:PER_PAGE],
            "following": items[PER_PAGE - 1].position if len(items) > PER_PAGE else None,
            "csv_url": admin_url(self, "shipcrowd_operator_job_csv", job.pk),
            "jobs_url": admin_url(self, "shipcrowd_couriers_operatorjob_changelist"),
            "may_list": self.has_view_permission(request),
        }
        return TemplateResponse(request, "admin/shipcrowd_couriers/operator_job.html", context)

    def report_csv(self, request: HttpRequest, pk: str) -> HttpResponseBase:
        """The report as CSV, without texts that a spreadsheet would read as formulas."""
        job = self._job(request, pk)
        name = f"{job.act}-{job.pk}.csv"
        response = StreamingHttpResponse(
            self._lines(self._items(request, job)), content_type="text/csv; charset=utf-8"
        )
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    def _lines(self, items: QuerySet[OperatorJobItem]) -> Iterator[str]:
        writer = csv.writer(_Echo())
        yield writer.writerow(COLUMNS)
        for item in items.iterator(chunk_size=500):
            one = item.shipment
            ended = timezone.localtime(item.finished_at).isoformat() if item.finished_at else ""
            cells = (
                one.order_number, one.pk, one.company.slug, one.courier_id, item.outcome, ended,
                item.words,
            )  # fmt: skip
            yield writer.writerow([without_formula(cell) for cell in cells])


@page(OperatorJobItem)
class OperatorJobItemAdmin(ReadOnlyAdmin):
    company_path = "shipment__company"
    list_display = ("job", "position", "shipment", "outcome_label", "tries", "finished_at")
    search_fields = ("=job__id", "=shipment__id", "=shipment__order_number")
    list_filter = ("outcome",)
    list_select_related = ("shipment",)
    ordering = ("-pk",)

    @display(description="Outcome", ordering="outcome", label=OUTCOME_COLOURS)
    def outcome_label(self, item: OperatorJobItem) -> tuple[str, str]:
        return item.outcome, item.get_outcome_display()
