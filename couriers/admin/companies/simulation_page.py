"""The page that shows what a company's courier rules would have chosen for its last orders."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldBooleanWidget

from couriers.admin.base import PageAdmin, admin_url
from couriers.admin.drawing import Chart, draw
from couriers.models import Company
from couriers.operations.rule_simulation import DAYS, Simulation, simulate_rules
from couriers.operations.staff import VIEW_AMOUNTS, visible_to


class SimulationForm(forms.Form):
    """The company, and which of its rules."""

    company = forms.ModelChoiceField(Company.objects.none(), widget=UnfoldAdminSelectWidget)
    test = forms.BooleanField(label="Test orders", required=False, widget=UnfoldBooleanWidget)

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["company"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = visible_to(user, Company.objects.order_by("slug"), "pk")


def chart_of(found: Simulation) -> Chart:
    """Return the chart of a simulation: orders by rule, stacked by courier."""
    codes = sorted({code for one in found.outcomes for code in one.by_courier})
    labels = [one.name or "No rule holds" for one in found.outcomes]
    series = {code: [one.by_courier[code] for one in found.outcomes] for code in codes}
    total = sum(sum(values) for values in series.values())
    meaning = "Orders by rule and courier"
    return draw("Simulation", meaning, "bar", labels, series, total=total)


class SimulationMixin(PageAdmin):
    """The page of the simulation, which changes nothing."""

    @action(description="Simulate", url_path="simulate", permissions=["view"])
    def simulate(self, request: HttpRequest) -> HttpResponse:
        """The form, and the outcome of each rule once a company is chosen."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        user: Any = request.user
        form = SimulationForm(user, request.GET if "company" in request.GET else None)
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": "What the courier rules would have chosen",
            "form": form,
            "days": DAYS,
            "amounts": user.has_perm(VIEW_AMOUNTS),
            "back": admin_url(self, "shipcrowd_couriers_courierrule_changelist"),
        }
        if form.is_valid():
            asked = form.cleaned_data
            found = simulate_rules(asked["company"], is_test=asked["test"])
            chart = chart_of(found)
            rows = [(one, [one.by_courier[code] for code in chart.couriers])
                    for one in found.outcomes]  # fmt: skip
            context |= {"simulation": found, "chart": chart, "rows": rows}
        request.current_app = self.admin_site.name
        template = "admin/shipcrowd_couriers/simulate_rules.html"
        return TemplateResponse(request, template, context)
