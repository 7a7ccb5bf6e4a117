"""The common parts of the pages on which an operator decides about an account or a courier.

A button on the row's own page opens such a page. It says what will happen, asks for a reason, and
leads back. Some call the courier, so none runs in a transaction of ATOMIC_REQUESTS.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from unfold.widgets import UnfoldAdminTextInputWidget

from couriers.admin.base import admin_url
from couriers.models import CourierAccount
from couriers.operations.decisions import MAX_REASON
from couriers.operations.staff import companies_of, visible_to
from couriers.resilience.unavailable import page_while_away

CHANGE_ACCOUNT = "shipcrowd_couriers.change_courieraccount"


class ReasonForm(forms.Form):
    """Why it is done, and what the operator was shown, to tell a change since by."""

    reason = forms.CharField(max_length=MAX_REASON, widget=UnfoldAdminTextInputWidget)
    seen = forms.CharField(max_length=200, widget=forms.HiddenInput)


def account_url(model_admin: admin.ModelAdmin, account: CourierAccount) -> str:
    """The URL of the account's own page on the site of the model admin."""
    return admin_url(model_admin, "shipcrowd_couriers_courieraccount_change", account.pk)


def decides_for_all(request: HttpRequest, permission: str) -> bool:
    """Whether the user has the permission, and is not held to some companies.

    What is decided about a courier holds for every company.
    """
    return request.user.has_perm(permission) and companies_of(request.user) is None


def visible_account(request: HttpRequest, pk: str) -> CourierAccount:
    """Return the account with its names. Raises Http404 for one that the user may not see."""
    rows = CourierAccount.objects.select_related("company", "courier")
    return get_object_or_404(visible_to(request.user, rows), pk=pk)


def account_page(
    model_admin: admin.ModelAdmin,
    route: str,
    name: str,
    permission: str,
    page: Callable[[HttpRequest, CourierAccount], HttpResponseBase],
) -> URLPattern:
    """The URL `<account>/<route>/` of a page for users with the permission. `name` is its name."""

    @page_while_away
    @transaction.non_atomic_requests
    def view(request: HttpRequest, pk: str) -> HttpResponseBase:
        if not request.user.has_perm(permission):
            raise PermissionDenied
        return page(request, visible_account(request, unquote(pk)))

    return path(f"<str:pk>/{route}/", model_admin.admin_site.admin_view(view), name=name)


def render_decision(
    model_admin: admin.ModelAdmin,
    request: HttpRequest,
    title: str,
    *,
    facts: Sequence[str],
    form: forms.Form | None,
    button: str,
    back: str,
    is_danger: bool = False,
    template: str = "admin/shipcrowd_couriers/decision.html",
    **context: Any,
) -> TemplateResponse:
    """Render what is so and what will happen, a sentence in each of `facts`, and the form."""
    request.current_app = model_admin.admin_site.name
    shown = {
        **model_admin.admin_site.each_context(request),
        "title": title,
        "facts": [fact for fact in facts if fact],
        "form": form,
        "button": button,
        "back": back,
        "is_danger": is_danger,
    }
    return TemplateResponse(request, template, shown | context)
