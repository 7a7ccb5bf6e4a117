"""The common parts of the pages on which an operator decides about one shipment.

A button on the shipment's own page opens such a page. It needs a permission, and leads back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from couriers.admin.base import admin_url
from couriers.contract.errors import InvalidRequest
from couriers.models import Shipment
from couriers.operations.staff import visible_to


def shipment_url(model_admin: admin.ModelAdmin, pk: str) -> str:
    """The URL of the shipment's own page on the site of the model admin."""
    return admin_url(model_admin, "shipcrowd_couriers_shipment_change", pk)


def can_decide(
    request: HttpRequest, permission: str, pk: str | None, **required_fields: Any
) -> bool:
    """Whether the user has the permission and the shipment, if one is given, has these fields.

    `required_fields` are arguments of QuerySet.filter.
    """
    if not request.user.has_perm(permission):
        return False
    if pk is None:
        return True
    return visible_to(request.user, Shipment.objects.filter(pk=pk, **required_fields)).exists()


def decision_url(
    model_admin: admin.ModelAdmin,
    route: str,
    name: str,
    permission: str,
    refusal: str,
    page: Callable[[HttpRequest, Shipment], HttpResponseBase],
) -> URLPattern:
    """The URL `<shipment>/<route>/` of a page. `name` is the URL's name.

    A user without the permission gets a 403, and one who may not see the shipment a 404. The page
    may call a courier, so it never runs in a transaction of ATOMIC_REQUESTS.
    """

    @transaction.non_atomic_requests
    def view(request: HttpRequest, pk: str) -> HttpResponseBase:
        rows = visible_to(request.user, Shipment.objects.select_related("company", "courier"))
        shipment = get_object_or_404(rows, pk=unquote(pk))
        if not request.user.has_perm(permission):
            raise PermissionDenied(refusal)
        return page(request, shipment)

    return path(f"<str:pk>/{route}/", model_admin.admin_site.admin_view(view), name=name)


def render_decision_page(
    model_admin: admin.ModelAdmin,
    request: HttpRequest,
    template: str,
    shipment: Shipment,
    title: str,
    **context: Any,
) -> TemplateResponse:
    """Render the template with the shipment, the title after the order number, and `context`."""
    shared = {
        **model_admin.admin_site.each_context(request),
        "title": f"Order {shipment.order_number}: {title}",
        "shipment": shipment,
        "back": shipment_url(model_admin, shipment.pk),
    }
    return TemplateResponse(request, template, shared | context)


def show_new_status(request: HttpRequest, shipment: Shipment) -> None:
    """Add a message with the shipment's status after the decision."""
    status = shipment.get_status_display().lower()
    messages.success(request, f"Order {shipment.order_number} is now {status}.")


def as_sentence(error: Exception) -> str:
    """The error's message with a capital letter and a full stop."""
    return str(error).capitalize() + "."


def add_errors(form: forms.Form, error: Exception) -> None:
    """Add the error of a refused decision to the form, by field where it is an InvalidRequest."""
    if isinstance(error, InvalidRequest):
        for problem in error.problems:
            form.add_error(problem.field, problem.message)
    else:
        form.add_error(None, as_sentence(error))
