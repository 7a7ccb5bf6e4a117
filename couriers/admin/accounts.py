"""Admin of couriers and accounts, with the rows about them: tokens, calls and pincodes.

Secrets can be replaced here, but never read. A new base URL needs those of the login to be typed
again, so that a stored login is never sent to another host. An account keeps its company and its
courier, since shipments and manifests refer to it.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import JSONField
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timezone import localtime
from unfold.contrib.filters.admin import SingleNumericFilter

from couriers.admin.account_form import (
    WEBHOOK_SECRETS,
    CourierAccountForm,
    form_of,
    login_inputs,
)
from couriers.admin.base import FixedValuesFilter, PageAdmin, ReadOnlyAdmin, admin_url
from couriers.admin.forms import StorableJSONField
from couriers.admin.registration import page
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
from couriers.models.addresses import NoAddress
from couriers.models.fields import UNREADABLE_TEXT
from couriers.operations import callbacks


@page(Courier)
class CourierAdmin(PageAdmin):
    list_display = ("code", "name", "is_enabled", "updated_at")
    search_fields = ("code", "name")
    list_filter = ("is_enabled",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The code is the key of the row: another code would make another courier."""
        fixed = ("created_at", "updated_at")
        return fixed if obj is None else ("code", *fixed)


# Shown of an account that is stored.
AFTER_ADDING = (
    "id", "callback_url", "callbacks", "previous_secret", "created_at", "updated_at",
)  # fmt: skip


def _courier_of(request: HttpRequest) -> str | None:
    """Return the installed courier of the catalogue that a new account is for, None if none."""
    code = request.GET.get("courier", "")
    if code not in CourierFactory.codes() or not Courier.objects.filter(pk=code).exists():
        return None
    return code


def _code(request: HttpRequest, account: CourierAccount | None) -> str:
    return account.courier_id if account else _courier_of(request) or ""


@page(CourierAccount)
class CourierAccountAdmin(PageAdmin):
    form = CourierAccountForm
    list_display = ("id", "company", "courier", "rollout", "base_url", "updated_at")
    search_fields = ("id", "company__slug", "company__name")
    list_filter = ("courier", "rollout", "company")
    list_select_related = ("company", "courier")
    autocomplete_fields = ("company",)
    formfield_overrides: ClassVar = {JSONField: {"form_class": StorableJSONField}}

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Add an account. The courier is chosen first, since the form follows from it."""
        if _courier_of(request) is None:
            return self._choose_courier(request)
        return super().add_view(request, form_url, extra_context)

    def _choose_courier(self, request: HttpRequest) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        query = request.GET.copy()
        couriers = []
        for courier in Courier.objects.filter(code__in=CourierFactory.codes()):
            query["courier"] = courier.pk
            couriers.append({"name": courier.name, "url": f"?{query.urlencode()}"})
        context = {
            **self.admin_site.each_context(request),
            "title": "Add courier account: with which courier?",
            "couriers": couriers,
            "back": admin_url(self, "shipcrowd_couriers_courieraccount_changelist"),
        }
        # Links of the page's frame are to this site.
        request.current_app = self.admin_site.name
        template = "admin/shipcrowd_couriers/choose_courier.html"
        return TemplateResponse(request, template, context)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """The form, with the fields of the courier's login."""
        return super().get_form(request, obj, change, form=form_of(_code(request, obj)), **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The parts of the page. A courier whose plug-in is not installed has no login to type."""
        shown = set(self.get_readonly_fields(request, obj))
        login = (*login_inputs(_code(request, obj)), "shared_login")
        secrets = (*(f"new_{name}" for name in WEBHOOK_SECRETS), "previous_secret")
        parts = {
            None: ("company", "courier", "base_url"),
            "Login": login,
            "Callbacks": ("callback_url", "callbacks", *secrets),
            "Bookings": ("rollout", "canary_percent", "limits", "settings"),
            "Stored": ("id", "created_at", "updated_at"),
        }
        optional = {"shared_login", *AFTER_ADDING} - shown
        fieldsets = [
            (title, {"fields": [name for name in names if name not in optional]})
            for title, names in parts.items()
        ]
        return [part for part in fieldsets if part[1]["fields"]]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return ("courier",)
        shared = () if obj.login_fingerprint else ("shared_login",)
        return ("company", "courier", *shared, *AFTER_ADDING)

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
