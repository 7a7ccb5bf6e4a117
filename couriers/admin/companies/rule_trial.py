"""The page that tries one order: which courier the rules would choose for it now, and why.

It runs the code of the API's preview, so couriers may be asked for quotes and pincodes. Nothing is
booked or stored.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from unfold.decorators import action
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from couriers.admin.base import PageAdmin, admin_url
from couriers.booking.choosing import choose
from couriers.booking.drafts import clean_draft
from couriers.contract import india
from couriers.contract.errors import CourierError, InvalidRequest
from couriers.contract.platform_errors import PlatformError
from couriers.contract.registry import AUTO
from couriers.contract.types import MAX_SERVICE, Address, Item, Parcel, PaymentMode, ShipmentDraft
from couriers.models import Company
from couriers.models.rule_terms import Strategy
from couriers.operations.staff import ACT, VIEW_AMOUNTS, visible_to
from couriers.rates.choice import Choice
from couriers.resilience.unavailable import page_while_away

SIDE = 10  # centimetres, of the parcel
GST_RATE = Decimal(18)
PHONE = "9845012345"  # of no order: a draft must have one, and no courier gets it


def _whole(label: str, initial: int) -> forms.IntegerField:
    return forms.IntegerField(
        label=label, min_value=1, initial=initial, widget=UnfoldAdminIntegerFieldWidget
    )


def _text(label: str, most: int, **more: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=most, widget=UnfoldAdminTextInputWidget, **more)


class TrialForm(forms.Form):
    """What rules ask about an order. Its warehouse is the company's default one."""

    company = forms.ModelChoiceField(Company.objects.none(), widget=UnfoldAdminSelectWidget)
    test = forms.BooleanField(label="Test order", required=False, widget=UnfoldBooleanWidget)
    pincode = _text("Consignee's pincode", 6)
    payment_mode = forms.ChoiceField(
        label="Payment", choices=PaymentMode.choices, widget=UnfoldAdminSelectWidget
    )
    value = forms.DecimalField(
        label="Value with GST (rupees)", min_value=Decimal(1), decimal_places=2, max_digits=12,
        initial=1000, widget=UnfoldAdminDecimalFieldWidget,
    )  # fmt: skip
    weight_g = _whole("Weight (grams)", 500)
    sku = _text("SKU, if a rule asks for it", 100, required=False)
    service = _text("Service, if the order asks for one", MAX_SERVICE, required=False)
    order_number = _text("Order number, by which weights draw", 100, initial="TRY-1")

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["company"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = visible_to(user, Company.objects.order_by("slug"), "pk")

    def draft(self) -> ShipmentDraft:
        """Return the order as a storefront would send it."""
        data = self.cleaned_data
        mode = PaymentMode(data["payment_mode"])
        return ShipmentDraft(
            courier=AUTO,
            order_number=data["order_number"],
            order_date=india.today(),
            payment_mode=mode,
            consignee=Address("Trial", PHONE, "1, Trial Road", "", "", data["pincode"]),
            items=(Item("Trial", 1, data["value"], GST_RATE, sku=data["sku"]),),
            parcel=Parcel(data["weight_g"], SIDE, SIDE, SIDE),
            cod_amount=data["value"] if mode == PaymentMode.COD else Decimal(0),
            service=data["service"],
        )


class RuleTrialMixin(PageAdmin):
    """Adds the page to the admin of rules, with a button on the list."""

    @action(description="Try an order", url_path="try-an-order", permissions=["try_order"])
    def try_order(self, request: HttpRequest) -> HttpResponse:
        """The button: redirect to the page."""
        return redirect(admin_url(self, "shipcrowd_try_order"))

    def has_try_order_permission(self, request: HttpRequest) -> bool:
        """Whether the user may have couriers asked."""
        return self.has_view_permission(request) and request.user.has_perm(ACT)

    def get_urls(self) -> list[URLPattern]:
        view = transaction.non_atomic_requests(page_while_away(self._trial_page))
        route = path("try/", self.admin_site.admin_view(view), name="shipcrowd_try_order")
        return [route, *super().get_urls()]

    def _trial_page(self, request: HttpRequest) -> HttpResponseBase:
        """Show the form, and once it is sent the choice or why there is none."""
        if not self.has_try_order_permission(request):
            raise PermissionDenied
        form = TrialForm(request.user, request.POST or None)
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": "Which courier would this order get?",
            "form": form,
            "amounts": request.user.has_perm(VIEW_AMOUNTS),
            "back": admin_url(self, "shipcrowd_couriers_courierrule_changelist"),
        }
        if request.method == "POST" and form.is_valid():
            choice = _choice(form)
            if choice is not None:
                strategy = Strategy(choice.strategy).label.lower()
                context |= {"choice": choice, "strategy": strategy}
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/shipcrowd_couriers/try_order.html", context)


def _choice(form: TrialForm) -> Choice | None:
    """Return what the rules choose. None where they choose nothing: the form says why."""
    data = form.cleaned_data
    try:
        return choose(data["company"], clean_draft(form.draft()), is_test=data["test"])
    except InvalidRequest as error:
        for problem in error.problems:
            name = problem.field.removeprefix("consignee.")
            field = name if name in form.fields else None
            form.add_error(field, problem.message if field else f"{name}: {problem.message}")
    except (CourierError, PlatformError) as error:
        form.add_error(None, f"{str(error)[:1].upper()}{str(error)[1:]}.")
    return None
