"""The page on which an operator gives a courier's reference of a warehouse."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextInputWidget

from couriers.admin.base import admin_url
from couriers.admin.decision_pages import add_errors
from couriers.contract.errors import InvalidRequest
from couriers.models import CourierAccount, Warehouse
from couriers.operations.decisions import MAX_REASON
from couriers.operations.references import (
    MAX_REFERENCE,
    PERMISSION,
    accounts_with_references,
    give_reference,
)
from couriers.resilience.lock import LockTimeout

REFUSAL = "You may not give references of warehouses."
BUSY = "A booking is registering this warehouse just now. Try again in a minute."


class _AccountChoice(forms.ModelChoiceField):
    def label_from_instance(self, account: Any) -> str:
        return f"{account.courier.name} ({account.pk})"


class ReferenceForm(forms.Form):
    """With which account, what the courier calls the warehouse, and why it is typed."""

    account = _AccountChoice(
        queryset=CourierAccount.objects.none(), widget=forms.RadioSelect, empty_label=None
    )
    reference = forms.CharField(max_length=MAX_REFERENCE, widget=UnfoldAdminTextInputWidget)
    reason = forms.CharField(max_length=MAX_REASON, widget=UnfoldAdminTextInputWidget)

    def __init__(self, warehouse: Warehouse, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["account"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = accounts_with_references(warehouse).select_related("courier")


class GiveReferenceMixin(admin.ModelAdmin):
    """Adds the page to the admin of warehouses, and a button to a warehouse."""

    @action(
        description="Give a courier's reference",
        url_path="give-reference",
        permissions=["give_reference"],
    )
    def give_reference(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The button: redirect to the page."""
        return redirect(admin_url(self, "shipcrowd_give_reference", object_id))

    def has_give_reference_permission(
        self, request: HttpRequest, object_id: str | None = None
    ) -> bool:
        """Whether the button is shown."""
        if not request.user.has_perm(PERMISSION):
            return False
        if object_id is None:
            return True
        warehouse = self.get_queryset(request).filter(pk=object_id).first()
        return warehouse is not None and accounts_with_references(warehouse).exists()

    def get_urls(self) -> list[URLPattern]:
        # Redis is waited for, so the page never runs in a transaction of ATOMIC_REQUESTS.
        @transaction.non_atomic_requests
        def view(request: HttpRequest, pk: str) -> HttpResponse:
            return self.reference_page(request, unquote(pk))

        url = path(
            "<str:pk>/reference/", self.admin_site.admin_view(view), name="shipcrowd_give_reference"
        )
        return [url, *super().get_urls()]

    def reference_page(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Show the form, and store the reference that is given."""
        warehouse = get_object_or_404(self.get_queryset(request).select_related("company"), pk=pk)
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied(REFUSAL)
        back = admin_url(self, "shipcrowd_couriers_warehouse_change", warehouse.pk)
        accounts = list(accounts_with_references(warehouse))
        chosen = request.GET.get("account") or (accounts[0].pk if len(accounts) == 1 else None)
        form = ReferenceForm(warehouse, request.POST or None, initial={"account": chosen})
        if request.method == "POST" and self._give(request, warehouse, form):
            return redirect(back)
        context = {
            **self.admin_site.each_context(request),
            "title": f"{warehouse.name}: what does the courier call it?",
            "warehouse": warehouse,
            "accounts": accounts,
            "registrations": warehouse.registrations.select_related("account__courier"),
            "form": form,
            "back": back,
        }
        request.current_app = self.admin_site.name
        template = "admin/shipcrowd_couriers/give_reference.html"
        return TemplateResponse(request, template, context)

    def _give(self, request: HttpRequest, warehouse: Warehouse, form: ReferenceForm) -> bool:
        """Carry out the decision. Returns False where the form must be shown again."""
        assert request.user.is_authenticated
        if not form.is_valid():
            return False
        given = form.cleaned_data
        try:
            stored = give_reference(
                given["account"], warehouse, given["reference"],
                actor=request.user, reason=given["reason"],
            )  # fmt: skip
        except InvalidRequest as error:
            add_errors(form, error)
            return False
        except LockTimeout:
            form.add_error(None, BUSY)
            return False
        courier = given["account"].courier.name
        messages.success(request, f"{courier} knows {warehouse.name} as {stored.reference}.")
        return True
