"""Admin of couriers and accounts, with the rows about them: tokens, calls and pincodes.

Logins and secrets can be replaced here, but never read. A new base URL needs the login to be typed
again, so that a stored login is never sent to another host. An account keeps its company and its
courier, since shipments and manifests refer to it.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import JSONField
from django.http import HttpRequest
from unfold.contrib.filters.admin import SingleNumericFilter
from unfold.widgets import UnfoldAdminPasswordWidget

from couriers.admin.base import FixedValuesFilter, PageAdmin, ReadOnlyAdmin
from couriers.admin.forms import StorableJSONField
from couriers.admin.registration import page
from couriers.contract.accounts import limits_problem
from couriers.contract.adapter import Capability
from couriers.contract.registry import CourierFactory
from couriers.models import (
    Courier,
    CourierAccount,
    CourierCall,
    CourierToken,
    ServiceablePincode,
)
from couriers.models.addresses import NoAddress

SECRETS = ("username", "password", "webhook_secret", "previous_webhook_secret")


@page(Courier)
class CourierAdmin(PageAdmin):
    list_display = ("code", "name", "is_enabled", "updated_at")
    search_fields = ("code", "name")
    list_filter = ("is_enabled",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The code is the key of the row: another code would make another courier."""
        fixed = ("created_at", "updated_at")
        return fixed if obj is None else ("code", *fixed)


def _secret_field(name: str) -> forms.CharField:
    return forms.CharField(
        label=name,
        required=False,
        max_length=500,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="Stored encrypted, and never shown. Leave it blank to keep the stored value.",
    )


class CourierAccountForm(forms.ModelForm):
    """The form of an account. A secret that is left blank keeps its stored value."""

    new_username = _secret_field("Username")
    new_password = _secret_field("Password")
    new_webhook_secret = _secret_field("Webhook secret")
    new_previous_webhook_secret = _secret_field("Previous webhook secret")

    class Meta:
        model = CourierAccount
        fields = (
            "company", "courier", "base_url", "client_id", "rollout", "canary_percent", "limits",
            "settings",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("username", "password"):
            self.fields[f"new_{name}"].required = self.instance._state.adding

    def clean_limits(self) -> Any:
        """Validate the account's limits. Refuses operations that its courier does not have."""
        limits = self.cleaned_data["limits"]
        courier = self.cleaned_data.get("courier")
        code = courier.pk if courier else self.instance.courier_id
        registered = code in CourierFactory.codes()
        operations = CourierFactory.adapter_class(code).default_limits if registered else ()
        if problem := limits_problem(limits, operations):
            raise forms.ValidationError(problem)
        return limits

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if "base_url" in self.changed_data and not self.instance._state.adding:
            for name in ("new_username", "new_password"):
                if not self.cleaned_data.get(name):
                    self.add_error(
                        name, "Type it again: the stored one belongs to the old base URL."
                    )
        return cleaned

    def save(self, commit: bool = True) -> Any:
        for name in SECRETS:
            if value := self.cleaned_data.get(f"new_{name}"):
                setattr(self.instance, name, value)
        return super().save(commit)


@page(CourierAccount)
class CourierAccountAdmin(PageAdmin):
    form = CourierAccountForm
    list_display = ("id", "company", "courier", "rollout", "base_url", "updated_at")
    search_fields = ("id", "company__slug", "company__name")
    list_filter = ("courier", "rollout", "company")
    list_select_related = ("company", "courier")
    autocomplete_fields = ("company", "courier")
    formfield_overrides: ClassVar = {JSONField: {"form_class": StorableJSONField}}

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        fixed = ("id", "callback_url", "created_at", "updated_at")
        return fixed if obj is None else ("company", "courier", *fixed)

    @admin.display(description="Callback URL")
    def callback_url(self, account: CourierAccount) -> str:
        try:
            return account.webhook_url
        except NoAddress as error:
            return str(error)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save the account. With a new base URL its token is deleted: it is the old server's."""
        super().save_model(request, obj, form, change)
        if "base_url" in form.changed_data:
            CourierToken.objects.filter(account=obj).delete()


@page(CourierToken)
class CourierTokenAdmin(ReadOnlyAdmin):
    list_display = ("account", "version", "expires_at", "refreshed_at")
    search_fields = ("account__id", "account__company__slug")
    list_filter = ("account__courier",)
    list_select_related = ("account",)
    fields = ("account", "version", "expires_at", "refreshed_at")


class OperationFilter(FixedValuesFilter):
    title = parameter_name = "operation"
    values = tuple(Capability)


@page(CourierCall)
class CourierCallAdmin(ReadOnlyAdmin):
    list_display = ("operation", "outcome", "http_status", "code", "shipment", "started_at")
    search_fields = ("shipment__id", "shipment__order_number", "code")
    list_filter = (
        "outcome", OperationFilter, "account__courier", ("http_status", SingleNumericFilter),
    )  # fmt: skip
    list_filter_submit = True
    list_select_related = ("shipment",)


@page(ServiceablePincode)
class ServiceablePincodeAdmin(ReadOnlyAdmin):
    list_display = (
        "pincode", "courier", "serviceable", "cod", "max_cod_amount", "forward_pickup",
        "forward_drop", "reverse_pickup", "reverse_drop", "loaded_at",
    )  # fmt: skip
    search_fields = ("=pincode", "city", "state")
    list_filter = ("courier", "serviceable", "cod")
    list_select_related = ("courier",)
