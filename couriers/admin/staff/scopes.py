"""The page on which an administrator holds a user to companies."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from couriers.admin.base import PageAdmin
from couriers.admin.registration import page
from couriers.models import StaffScope
from couriers.operations.staff import companies_of


@page(StaffScope)
class StaffScopeAdmin(PageAdmin):
    """Which users are held to companies. Nobody who is held to some may see or change it."""

    list_display = ("user", "company_names")
    search_fields = ("companies__slug",)
    list_filter = ("companies",)
    list_select_related = ("user",)
    autocomplete_fields = ("companies",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("companies")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A scope keeps its user."""
        return () if obj is None else ("user",)

    @admin.display(description="Companies")
    def company_names(self, scope: StaffScope) -> str:
        return ", ".join(company.slug for company in scope.companies.all()) or "none"

    def has_module_permission(self, request: HttpRequest) -> bool:
        return super().has_module_permission(request) and companies_of(request.user) is None

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) and companies_of(request.user) is None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and companies_of(request.user) is None

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and companies_of(request.user) is None

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and companies_of(request.user) is None
