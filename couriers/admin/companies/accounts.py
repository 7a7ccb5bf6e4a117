"""Admin of couriers and accounts, with the rows about them: tokens, calls and pincodes.

Secrets can be replaced here, but never read. A new base URL needs those of the login to be typed
again, so that a stored login is never sent to another host. An account keeps its company and its
courier, since shipments and manifests refer to it.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import BooleanField, JSONField, QuerySet, Value
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.html import format_html_join
from unfold.contrib.filters.admin import SingleNumericFilter
from unfold.decorators import action

from couriers.admin.base import FixedValuesFilter, PageAdmin, ReadOnlyAdmin, admin_url
from couriers.admin.companies.account_form import (
    WEBHOOK_SECRETS,
    CourierAccountForm,
    form_of,
    login_inputs,
)
from couriers.admin.companies.connection import ConnectionMixin
from couriers.admin.companies.rollouts import (
    RolloutAuditInline,
    RolloutMixin,
    for_all_companies,
    may_book_text,
)
from couriers.admin.companies.start import LeadsBackToStart, start_url
from couriers.admin.companies.switches import AccountSwitchMixin, CourierSwitchMixin
from couriers.admin.companies.webhook_secret import WebhookSecretMixin, until_text
from couriers.admin.forms import StorableJSONField
from couriers.admin.registration import page
from couriers.admin.today.work_filter import WorkFilter
from couriers.contract.adapter import Capability
from couriers.contract.platform_errors import UnreadableValue
from couriers.contract.registry import CourierFactory
from couriers.models import (
    AccountCheck,
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
from couriers.operations.staff import companies_of


@page(Courier)
class CourierAdmin(CourierSwitchMixin, RolloutMixin, PageAdmin):
    """Couriers, which serve all companies: a user who is held to companies changes none of them."""

    actions_detail = ["switch_off", "switch_on", "change_rollout"]
    list_display = ("code", "name", "is_enabled", "may_book", "updated_at")
    search_fields = ("code", "name")
    list_filter = (WorkFilter, "is_enabled", "rollout")
    inlines = (RolloutAuditInline,)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The code is the key of the row: another code would make another courier."""
        fixed = ("created_at", "updated_at")
        return fixed if obj is None else ("code", "is_enabled", "may_book", *fixed)

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """The decisions about the courier, which name companies."""
        return super().get_inlines(request, obj) if for_all_companies(request) else ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and for_all_companies(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and for_all_companies(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and for_all_companies(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Courier]:
        """The couriers, with whether the user may see which companies are named."""
        names = companies_of(request.user) is None
        rows: QuerySet[Courier] = super().get_queryset(request)
        return rows.annotate(shows_names=Value(names, output_field=BooleanField()))

    @admin.display(description="Companies that may book", ordering="rollout")
    def may_book(self, courier: Courier) -> str:
        if courier.shows_names:  # type: ignore[attr-defined]
            return may_book_text(courier)
        return courier.get_rollout_display()


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
class CourierAccountAdmin(
    LeadsBackToStart, ConnectionMixin, AccountSwitchMixin, WebhookSecretMixin, PageAdmin
):
    actions_detail = ["test_connection", "switch_bookings", "close_circuit", "rotate_secret"]
    company_path = "company"
    form = CourierAccountForm
    list_display = ("id", "company", "courier", "is_test", "rollout", "base_url", "updated_at")
    search_fields = ("id", "company__slug", "company__name")
    list_filter = (WorkFilter, "courier", "is_test", "rollout", "company")
    list_select_related = ("company", "courier")
    autocomplete_fields = ("company",)
    formfield_overrides: ClassVar = {JSONField: {"form_class": StorableJSONField}}

    @action(description="Test the connection", url_path="test-connection", permissions=["change"])
    def test_connection(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The button: redirect to the account's guided start, whose steps test it."""
        account = self.get_object(request, object_id)
        if account is None:
            return redirect(admin_url(self, "shipcrowd_couriers_courieraccount_changelist"))
        return redirect(start_url(self, account.company_id, account))

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
            None: ("company", "courier", "is_test", "base_url"),
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
        return (
            "company",
            "courier",
            "is_test",
            *shared,
            "rollout",
            "canary_percent",
            *AFTER_ADDING,
        )

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
        return until_text(until)

    @admin.display(description="Callback URL")
    def callback_url(self, account: CourierAccount) -> str:
        try:
            url = account.webhook_url
        except NoAddress as error:
            return str(error)
        # So that it fits on a phone.
        return format_html_join("", "{}<wbr>", ((part,) for part in re.split(r"(?<=[/_])", url)))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save the account. With a new base URL its token is deleted: it is the old server's."""
        super().save_model(request, obj, form, change)
        if "base_url" in form.changed_data:
            CourierToken.objects.filter(account=obj).delete()


@page(CallbackTally)
class CallbackTallyAdmin(ReadOnlyAdmin):
    company_path = "account__company"
    list_display = ("account", "accepted_at", "refused_at", "refused_count", "explanation")
    search_fields = ("account__id", "account__company__slug")
    list_filter = ("account__courier",)
    list_select_related = ("account__company", "account__courier")


@page(CourierToken)
class CourierTokenAdmin(ReadOnlyAdmin):
    company_path = "account__company"
    list_display = ("account", "version", "expires_at", "refreshed_at")
    search_fields = ("account__id", "account__company__slug")
    list_filter = ("account__courier",)
    list_select_related = ("account__company", "account__courier")
    fields = ("account", "version", "expires_at", "refreshed_at")


@page(AccountCheck)
class AccountCheckAdmin(ReadOnlyAdmin):
    company_path = "account__company"
    list_display = ("account", "kind", "outcome", "said", "at", "actor")
    search_fields = ("account__id", "account__company__slug")
    list_filter = ("kind", "outcome", "account__courier")
    list_select_related = ("account__company", "account__courier", "actor")


class OperationFilter(FixedValuesFilter):
    title = parameter_name = "operation"
    values = tuple(Capability)


@page(CourierCall)
class CourierCallAdmin(ReadOnlyAdmin):
    company_path = "account__company"
    list_display = ("operation", "outcome", "http_status", "code", "shipment", "started_at")
    search_fields = ("=shipment__id",)
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
    search_fields = ("=pincode", "city")
    list_filter = ("courier", "serviceable", "cod")
    list_select_related = ("courier",)
