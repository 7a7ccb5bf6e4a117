"""What the pages share on which an operator decides about one shipment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from couriers.contract.errors import InvalidRequest
from couriers.models import Shipment


def shipment_url(pk: str) -> str:
    """The shipment's own page, which a decision leads back to."""
    return reverse("admin:shipcrowd_couriers_shipment_change", args=[pk])


def may(request: HttpRequest, permission: str, pk: str | None, **asked: Any) -> bool:
    """Whether the question may be put: only with the permission, and of a shipment that is so."""
    if not request.user.has_perm(permission):
        return False
    return pk is None or Shipment.objects.filter(pk=pk, **asked).exists()


def question(
    model_admin: admin.ModelAdmin,
    route: str,
    name: str,
    permission: str,
    refusal: str,
    ask: Callable[[HttpRequest, Shipment], HttpResponse],
) -> URLPattern:
    """The address of a question; those without the permission are told so instead."""

    def view(request: HttpRequest, pk: str) -> HttpResponse:
        shipment = get_object_or_404(Shipment.objects.select_related("company", "courier"), pk=pk)
        if not request.user.has_perm(permission):
            messages.error(request, refusal)
            return redirect(shipment_url(pk))
        return ask(request, shipment)

    return path(f"<str:pk>/{route}/", model_admin.admin_site.admin_view(view), name=name)


def page(
    model_admin: admin.ModelAdmin,
    request: HttpRequest,
    template: str,
    shipment: Shipment,
    title: str,
    **context: Any,
) -> TemplateResponse:
    """The question with what there is to know beside it."""
    shared = {
        **model_admin.admin_site.each_context(request),
        "title": f"Order {shipment.order_number}: {title}",
        "shipment": shipment,
        "back": shipment_url(shipment.pk),
    }
    return TemplateResponse(request, template, shared | context)


def decided(request: HttpRequest, shipment: Shipment) -> None:
    """Tell what became of the shipment."""
    messages.success(request, f"Order {shipment.order_number} is {shipment.status}.")


def refuse(form: forms.Form, error: Exception) -> None:
    """Show in the form why the decision was not carried out."""
    if isinstance(error, InvalidRequest):
        for problem in error.problems:
            form.add_error(problem.field, problem.message)
    else:
        form.add_error(None, str(error).capitalize() + ".")
