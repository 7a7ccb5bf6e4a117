"""Admin of companies, their API keys and their warehouses."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import JSONField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from unfold.decorators import action
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from couriers.admin.base import PageAdmin, ReadOnlyAdmin, admin_url
from couriers.admin.forms import StorableJSONField
from couriers.admin.references import GiveReferenceMixin
from couriers.admin.registration import page
from couriers.models import Company, CompanyApiKey, Scope, Warehouse, WarehouseRegistration
from couriers.models.company import every_scope
from couriers.operations.references import PERMISSION, accounts_with_references


@page(Company)
class CompanyAdmin(PageAdmin):
    list_display = ("slug", "name", "gstin", "city", "state", "is_active")
    search_fields = ("slug", "name", "gstin")
    list_filter = ("is_active", "state")
    prepopulated_fields = {"slug": ("name",)}
    readonly_fields = ("created_at", "updated_at")
    formfield_overrides: ClassVar = {JSONField: {"form_class": StorableJSONField}}


class ApiKeyForm(forms.ModelForm):
    """The form of an API key. Its scopes are ticked."""

    scopes = forms.MultipleChoiceField(
        choices=Scope.choices,
        initial=every_scope,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="What the key may be used for. A scope includes no other one.",
    )

    class Meta:
        model = CompanyApiKey
        fields = ("company", "name", "scopes", "expiry_date", "revoked")


@page(CompanyApiKey)
class CompanyApiKeyAdmin(PageAdmin):
    """API keys. A key is shown once, when it is created. Later it can only be revoked."""

    form = ApiKeyForm
    list_display = (
        "prefix", "company", "name", "scope_names", "last_used_at", "expiry_date", "revoked",
        "created",
    )  # fmt: skip
    search_fields = ("prefix", "name", "company__slug")
    list_filter = ("revoked", "company")
    list_select_related = ("company",)
    autocomplete_fields = ("company",)
    fields = (
        "company", "name", "prefix", "scopes", "expiry_date", "revoked", "last_used_at", "created",
    )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        fixed = ("prefix", "last_used_at", "created")
        if obj is None:
            return fixed
        ended = ("revoked", "expiry_date", "scopes") if obj.revoked else ()
        return (*fixed, "company", "name", *ended)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="Scopes")
    def scope_names(self, key: CompanyApiKey) -> str:
        return ", ".join(key.scopes)

    def save_model(self, request: HttpRequest, obj: CompanyApiKey, form: Any, change: bool) -> None:
        """Save a key. That of a new one is kept for the answer to this request alone."""
        if not change:
            request.new_api_key = CompanyApiKey.objects.assign_key(obj)  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: CompanyApiKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the new key on the page that answers the form.

        A message would put it into a cookie or a session, and on whichever page comes next.
        """
        context = {
            **self.admin_site.each_context(request),
            "title": "The new API key",
            "opts": self.opts,
            "key": request.new_api_key,  # type: ignore[attr-defined]
            "row": obj,
            "back": admin_url(self, f"{obj._meta.app_label}_{obj._meta.model_name}_changelist"),
        }
        # Pages of the admin forbid caches to store them.
        return render(request, "admin/shipcrowd_couriers/new_key.html", context)


@page(Warehouse)
class WarehouseAdmin(GiveReferenceMixin, PageAdmin):
    actions_detail = ["give_reference"]
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
    actions_detail = ["give_reference"]

    @action(
        description="Give the courier's reference",
        url_path="give-reference",
        permissions=["give_reference"],
    )
    def give_reference(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The button: redirect to the page of the warehouse, with this account chosen."""
        registration = self.get_object(request, object_id)
        if registration is None:
            return redirect(admin_url(self, "shipcrowd_couriers_warehouseregistration_changelist"))
        page = admin_url(self, "shipcrowd_give_reference", registration.warehouse_id)
        return redirect(f"{page}?account={registration.account_id}")

    def has_give_reference_permission(
        self, request: HttpRequest, object_id: str | None = None
    ) -> bool:
        """Whether the button is shown."""
        if not request.user.has_perm(PERMISSION):
            return False
        if object_id is None:
            return True
        registration = WarehouseRegistration.objects.filter(pk=object_id).first()
        if registration is None:
            return False
        accounts = accounts_with_references(registration.warehouse)
        return accounts.filter(pk=registration.account_id).exists()
