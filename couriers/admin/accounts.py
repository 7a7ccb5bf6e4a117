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
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timezone import localtime
from unfold.contrib.filters.admin import SingleNumericFilter
from unfold.widgets import UnfoldAdminPasswordWidget

from couriers.admin.base import FixedValuesFilter, PageAdmin, ReadOnlyAdmin
from couriers.admin.forms import StorableJSONField
from couriers.admin.registration import page
from couriers.contract.accounts import limits_problem
from couriers.contract.adapter import Capability
from couriers.contract.platform_errors import UnreadableValue
from couriers.contract.registry import CourierFactory
from couriers.models import (
    CallbackTally,
    Courier,
    CourierAccount,
    CourierCall,
    CourierToken,
    ServiceablePincode,
)
from couriers.models.account import previous_secret_fields
from couriers.models.addresses import NoAddress
from couriers.models.fields import UNREADABLE_TEXT
from couriers.operations import callbacks

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
        defaults = CourierFactory.adapter_class(code).default_limits if registered else {}
        if problem := limits_problem(limits, defaults):
            raise forms.ValidationError(problem)
        return limits

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        self._take_secrets()
        if "base_url" in self.changed_data and not self.instance._state.adding:
            for name in ("new_username", "new_password"):
                if not self.cleaned_data.get(name):
                    self.add_error(
                        name, "Type it again: the stored one belongs to the old base URL."
                    )
        return cleaned

    def _take_secrets(self) -> None:
        """Set the typed secrets on the account, whose own checks come next."""
        courier = self.cleaned_data.get("courier")
        receiver = CourierFactory.receiver(courier.pk if courier else self.instance.courier_id)
        for name in SECRETS:
            value = self.cleaned_data.get(f"new_{name}")
            is_login = name in ("username", "password")
            problem = receiver.secret_problem(value) if value and receiver else None
            if problem and not is_login:
                self.add_error(f"new_{name}", f"The secret {problem}.")
            elif value:
                self._set(name, value)

    def _set(self, name: str, value: str) -> None:
        is_previous = name == "previous_webhook_secret"
        fields = previous_secret_fields(value) if is_previous else {name: value}
        for field, new in fields.items():
            setattr(self.instance, field, new)


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
        if obj is None:
            return fixed
        shared = () if obj.login_fingerprint else ("shared_login",)
        return ("company", "courier", *fixed, *shared, "callbacks", "previous_secret")

    @admin.display(description="Login")
    def shared_login(self, account: CourierAccount) -> str:
        """Other accounts with the same login, from before such an account was refused."""
        try:
            others = ", ".join(account.others_with_login().values_list("pk", flat=True))
        except UnreadableValue:
            return UNREADABLE_TEXT
        return f"also that of {others}: give each a login of its own" if others else "-"

    @admin.display(description="Callbacks")
    def callbacks(self, account: CourierAccount) -> str:
        """Whether callbacks are accepted or refused, with figures."""
        tally = CallbackTally.objects.filter(account=account).first()
        problem = callbacks.refusal_problem(tally)
        return problem or f"{callbacks.last_accepted(tally)} {callbacks.refusals(tally)}"

    @admin.display(description="Previous webhook secret")
    def previous_secret(self, account: CourierAccount) -> str:
        """Until when callbacks may be signed with it."""
        until = account.previous_webhook_secret_until
        if until is None:
            return "none: only the current one is valid"
        time = f"{date_format(localtime(until), 'j M Y, H:i')} {localtime(until).tzname()}"
        return f"valid until {time}" if timezone.now() < until else f"ended on {time}"

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


@page(CallbackTally)
class CallbackTallyAdmin(ReadOnlyAdmin):
    list_display = ("account", "accepted_at", "refused_at", "refused_count", "explanation")
    search_fields = ("account__id", "account__company__slug")
    list_filter = ("account__courier",)
    list_select_related = ("account",)


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
