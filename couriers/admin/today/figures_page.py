"""The figures of days as a list, and the pages behind the tiles that stand for no table's rows."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from kombu.exceptions import OperationalError as BrokerUnavailable

from couriers.admin.base import ReadOnlyAdmin
from couriers.admin.registration import page
from couriers.models import DayFigure
from couriers.operations import alerts, queues
from couriers.resilience.shared import RedisUnavailable
from couriers.resilience.unavailable import page_while_away


@page(DayFigure)
class DayFigureAdmin(ReadOnlyAdmin):
    """What the charts are drawn from. A row without company says when the day was counted."""

    company_path = "company"
    list_display = (
        "day", "company", "courier", "booked", "delivered", "undelivered", "returned", "counted_at",
    )  # fmt: skip
    list_filter = ("courier", "company")
    list_select_related = ("company", "courier")
    search_fields = ("=company__slug",)

    def get_urls(self) -> list[URLPattern]:
        """The list's URLs, and those of the queues and of the alerts."""
        pages = [
            path(route, page_while_away(self.admin_site.admin_view(view)), name=name)
            for route, view, name in (
                ("queues/", self.queues_page, "shipcrowd_queues"),
                ("alerts/", self.alerts_page, "shipcrowd_alerts"),
            )
        ]
        return [*pages, *super().get_urls()]

    def queues_page(self, request: HttpRequest) -> HttpResponse:
        """What waits in each queue, those that are behind first."""
        context: dict[str, Any] = {"away": False, "beat_budget": queues.BEAT_BUDGET}
        try:
            found, age = queues.queues(), queues.beat_age()
        except (BrokerUnavailable, RedisUnavailable):
            context["away"] = True
        else:
            context |= {
                "behind": [one for one in found if one.is_behind],
                "in_time": [one for one in found if not one.is_behind],
                "beat_age": None if age is None else round(age),
            }
        return self._page(request, "queues.html", "Queues", context)

    def alerts_page(self, request: HttpRequest) -> HttpResponse:
        """The alerts that fire, as Prometheus says."""
        found: list[alerts.Alert] | None = None
        if alerts.is_configured():
            try:
                found = alerts.firing()
            except RedisUnavailable:
                found = None
        context = {"configured": alerts.is_configured(), "alerts": found}
        return self._page(request, "alerts.html", "Alerts that fire", context)

    def _page(
        self, request: HttpRequest, template: str, title: str, context: dict[str, Any]
    ) -> HttpResponse:
        if not request.user.has_perm("shipcrowd_couriers.view_shipment"):
            raise PermissionDenied
        request.current_app = self.admin_site.name
        shared = {
            **self.admin_site.each_context(request),
            "title": title,
            "back": reverse("admin:index", current_app=self.admin_site.name),
        }
        return TemplateResponse(request, f"admin/shipcrowd_couriers/{template}", shared | context)
