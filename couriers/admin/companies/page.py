"""Admin of companies, their API keys and their warehouses."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import JSONField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from unfold.decorators import action
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from couriers.admin.base import PageAdmin, ReadOnlyAdmin, admin_url
from couriers.admin.companies.blocks import blocks_of
from couriers.admin.companies.references import GiveReferenceMixin
from couriers.admin.companies.rollouts import couriers_of_company
from couriers.admin.companies.start import GuidedStartMixin, LeadsBackToStart
from couriers.admin.forms import StorableJSONField
from couriers.admin.registration import page
from couriers.admin.staff.hidden_fields import CONTACT, PRICES, HiddenFields
from couriers.admin.today.work_filter import WorkFilter
from couriers.models import Company, CompanyApiKey, Scope, Warehouse, WarehouseRegistration
from couriers.models.company import every_scope
from couriers.models.key_format import clean_networks
from couriers.operations.references import PERMISSION, accounts_with_references
from couriers.operations.staff import companies_of


@page(Company)
class CompanyAdmin(GuidedStartMixin, HiddenFields, PageAdmin):
    actions_list = ["start_company"]
    actions_detail = ["guided_start"]
    change_form_outer_before_template = "admin/shipcrowd_couriers/company_blocks.html"
    company_path = "pk"
    shown_with = CONTACT | PRICES
    list_display = ("slug", "name", "gstin", "city", "state", "is_active")
    search_fields = ("slug", "name", "gstin")
    list_filter = ("is_active", "state")
    prepopulated_fields = {"slug": ("name",)}
    formfield_overrides: ClassVar = {JSONField: {"form_class": StorableJSONField}}

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether the user may add a company: not one held to companies, who would not see it."""
        return super().has_add_permission(request) and companies_of(request.user) is None

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """What is shown and not typed."""
        fixed = ("created_at", "updated_at")
        return fixed if obj is None else ("couriers", *fixed)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The company's form, below what belongs to the company."""
        company = self.get_object(request, unquote(object_id))
        blocks = []
        if company is not None and self.has_view_permission(request, company):
            blocks = blocks_of(self, request, company)
        context = {**(extra_context or {}), "blocks": blocks}
        return super().change_view(request, object_id, form_url, context)

    @admin.display(description="Couriers")
    def couriers(self, company: Company) -> str:
        """Whether the company may book with each of its couriers, by their roll-outs."""
        return couriers_of_company(self, company)


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
        fields = (
            "company", "name", "is_test", "scopes", "allowed_networks", "expiry_date", "revoked",
        )  # fmt: skip

    def clean_allowed_networks(self) -> list[str]:
        """The networks as they are stored. Refuses one that is none."""
        return clean_networks(self.cleaned_data["allowed_networks"])


@page(CompanyApiKey)
class CompanyApiKeyAdmin(PageAdmin):
    """API keys. A key is shown once, when it is created. Later it can only be revoked."""

    company_path = "company"
    form = ApiKeyForm
    list_display = (
        "prefix", "company", "name", "is_test", "scope_names", "last_used_at", "expiry_date",
        "revoked", "created",
    )  # fmt: skip
    search_fields = ("prefix", "name", "company__slug")
    list_filter = ("revoked", "is_test", "company")
    list_select_related = ("company",)
    autocomplete_fields = ("company",)
    fields = (
        "company", "name", "is_test", "prefix", "scopes", "allowed_networks", "expiry_date",
        "revoked", "last_used_at", "created",
    )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        fixed = ("prefix", "last_used_at", "created")
        if obj is None:
            return fixed
        ended = ("revoked", "expiry_date", "scopes", "allowed_networks") if obj.revoked else ()
        return (*fixed, "company", "name", "is_test", *ended)

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
class WarehouseAdmin(LeadsBackToStart, GiveReferenceMixin, HiddenFields, PageAdmin):
    company_path = "company"
    shown_with = CONTACT
    actions_detail = ["give_reference"]
    list_display = ("name", "company", "city", "state", "pincode", "is_default", "is_test")
    search_fields = ("name", "company__slug", "city", "pincode")
    list_filter = ("is_default", "is_test", "state", "company")
    list_select_related = ("company",)
    autocomplete_fields = ("company",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A warehouse keeps its company and mode: shipments and registrations refer to it."""
        fixed = ("id", "created_at", "updated_at")
        return fixed if obj is None else ("company", "is_test", *fixed)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether a warehouse may be deleted: not the default, which the company needs."""
        return super().has_delete_permission(request, obj) and not (obj and obj.is_default)


@page(WarehouseRegistration)
class WarehouseRegistrationAdmin(ReadOnlyAdmin):
    company_path = "account__company"
    list_display = ("warehouse", "account", "reference", "state", "reason", "updated_at")
    search_fields = ("reference", "warehouse__name", "reason")
    list_filter = (WorkFilter, "state", "account__courier")
    list_select_related = ("warehouse", "account__company", "account__courier")
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
        registration = self.get_queryset(request).filter(pk=object_id).first()
        if registration is None:
            return False
        accounts = accounts_with_references(registration.warehouse)
        return accounts.filter(pk=registration.account_id).exists()
