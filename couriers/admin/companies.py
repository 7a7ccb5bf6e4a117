"""Admin of companies, their API keys and their warehouses."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import messages
from django.db.models import JSONField
from django.http import HttpRequest

from couriers.admin.base import PageAdmin, ReadOnlyAdmin
from couriers.admin.forms import StorableJSONField
from couriers.admin.registration import page
from couriers.models import Company, CompanyApiKey, Warehouse, WarehouseRegistration


@page(Company)
class CompanyAdmin(PageAdmin):
    list_display = ("slug", "name", "gstin", "city", "state", "is_active")
    search_fields = ("slug", "name", "gstin")
    list_filter = ("is_active", "state")
    prepopulated_fields = {"slug": ("name",)}
    readonly_fields = ("created_at", "updated_at")
    formfield_overrides: ClassVar = {JSONField: {"form_class": StorableJSONField}}


@page(CompanyApiKey)
class CompanyApiKeyAdmin(PageAdmin):
    """API keys. A key is shown once, when it is created. Later it can only be revoked."""

    list_display = ("prefix", "company", "name", "created", "expiry_date", "revoked")
    search_fields = ("prefix", "name", "company__slug")
    list_filter = ("revoked", "company")
    list_select_related = ("company",)
    autocomplete_fields = ("company",)
    fields = ("company", "name", "prefix", "expiry_date", "revoked", "created")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        fixed = ("prefix", "created")
        if obj is None:
            return fixed
        return (*fixed, "company", "name", *(("revoked", "expiry_date") if obj.revoked else ()))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: CompanyApiKey, form: Any, change: bool) -> None:
        """Save a key. A new key is shown once to the person who created it."""
        if change:
            super().save_model(request, obj, form, change)
            return
        key = CompanyApiKey.objects.assign_key(obj)
        obj.save()
        messages.warning(request, f"The key is {key} and will not be shown again.")


@page(Warehouse)
class WarehouseAdmin(PageAdmin):
    list_display = ("name", "company", "city", "state", "pincode", "is_default")
    search_fields = ("name", "company__slug", "city", "pincode")
    list_filter = ("is_default", "state", "company")
    list_select_related = ("company",)
    autocomplete_fields = ("company",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A warehouse keeps its company: shipments and registrations refer to both."""
        fixed = ("id", "created_at", "updated_at")
        return fixed if obj is None else ("company", *fixed)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether a warehouse may be deleted: not the default, which the company needs."""
        return super().has_delete_permission(request, obj) and not (obj and obj.is_default)


@page(WarehouseRegistration)
class WarehouseRegistrationAdmin(ReadOnlyAdmin):
    list_display = ("warehouse", "account", "reference", "state", "reason", "updated_at")
    search_fields = ("reference", "warehouse__name", "reason")
    list_filter = ("state", "account__courier")
    list_select_related = ("warehouse", "account")
    exclude = ("address_hash",)
