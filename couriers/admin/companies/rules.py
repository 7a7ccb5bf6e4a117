"""Admin of courier rules: which of a company's couriers carries an order that names none."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from couriers.admin.base import PageAdmin
from couriers.admin.companies.rule_form import CourierRuleForm, courier_names, typed_rule
from couriers.admin.companies.rule_order import RuleOrderMixin
from couriers.admin.companies.rule_trial import RuleTrialMixin
from couriers.admin.companies.simulation_page import SimulationMixin
from couriers.admin.registration import page
from couriers.models import CourierRule
from couriers.operations.courier_rules import company_rules, delete_rule, store_rule


def _typed(name: str) -> Any:
    """Return the column that shows an input of the form to whom may not change the rule."""

    @admin.display(description=str(CourierRuleForm.base_fields[name].label))
    def shown(self: Any, rule: CourierRule) -> str:
        return typed_rule(rule)[name]

    return shown


@page(CourierRule)
class CourierRuleAdmin(RuleOrderMixin, RuleTrialMixin, SimulationMixin, PageAdmin):
    company_path = "company"
    form = CourierRuleForm
    search_fields = ("name", "company__slug")
    list_display = (
        "name", "company", "position", "is_enabled", "strategy", "courier_names", "fail_over",
        "is_test",
    )  # fmt: skip
    list_filter = ("is_test", "is_enabled", "company")
    list_select_related = ("company",)
    sortable_by = ()  # they are listed as they are tried
    autocomplete_fields = ("company",)
    readonly_fields = ("id", "created_at", "updated_at")
    actions_list = ("try_order", "simulate")
    fieldsets = (
        (None, {"fields": ("company", "is_test", "name", "position", "is_enabled")}),
        (
            "Conditions: all must hold; a blank one always does",
            {
                "fields": (
                    ("payment_modes", "directions"), "zones", ("min_weight_g", "max_weight_g"),
                    ("min_value", "max_value"), "pincodes", "states", "skus", "services",
                )
            },
        ),
        (
            "Choice",
            {"fields": ("strategy", "courier_lines", "fail_over", "book_after_doubt")},
        ),
        ("Row", {"fields": ("id", "created_at", "updated_at")}),
    )  # fmt: skip

    payment_modes = _typed("payment_modes")
    directions = _typed("directions")
    zones = _typed("zones")
    min_weight_g = _typed("min_weight_g")
    max_weight_g = _typed("max_weight_g")
    min_value = _typed("min_value")
    max_value = _typed("max_value")
    pincodes = _typed("pincodes")
    states = _typed("states")
    skus = _typed("skus")
    services = _typed("services")
    courier_lines = _typed("courier_lines")

    @admin.display(description="couriers")
    def courier_names(self, rule: CourierRule) -> str:
        """The couriers in their order."""
        return courier_names(rule)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        fixed = (*self.readonly_fields, "company", "is_test")
        return self.readonly_fields if obj is None else fixed

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Store the rule at its position, and say what is odd about it."""
        user: Any = request.user
        position = form.cleaned_data.get("position")
        rule = CourierRule.objects.get(pk=obj.pk) if change else obj
        store_rule(rule, form.rule_data(), position=position, actor=user)
        _, warnings = company_rules(rule.company, is_test=rule.is_test).of(rule.pk)
        for warning in warnings:
            messages.warning(request, f"{rule.name}: {warning.field} {warning.message}")

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        user: Any = request.user
        delete_rule(obj, actor=user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for rule in queryset.select_related("company"):
            self.delete_model(request, rule)

    # The operations that store and delete rules record it themselves.

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> None:  # type: ignore[override]
        """Record nothing: `store_rule` has."""

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> None:  # type: ignore[override]
        """Record nothing: `store_rule` has."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:  # type: ignore[override]
        """Record nothing: `delete_rule` has."""
