"""Admin of products, and the page on which a file of them is loaded."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from unfold.decorators import action
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget

from couriers.admin.base import PageAdmin, admin_url
from couriers.admin.registration import page
from couriers.models import Company, Product
from couriers.models.product import FIELDS
from couriers.operations.products import MAX_BYTES, FileRefused, load_products


class ProductFileForm(forms.Form):
    """A company, and the file of its products."""

    company = forms.ModelChoiceField(
        Company.objects.order_by("slug"), widget=UnfoldAdminSelectWidget
    )
    file = forms.FileField(widget=UnfoldAdminFileFieldWidget)


@page(Product)
class ProductAdmin(PageAdmin):
    list_display = ("sku", "name", "company", "hsn_code", "gst_rate", "weight_g", "updated_at")
    search_fields = ("sku", "name")
    list_filter = ("company",)
    list_select_related = ("company",)
    autocomplete_fields = ("company",)
    readonly_fields = ("id", "created_at", "updated_at")
    actions_list = ("load_file",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.readonly_fields if obj is None else (*self.readonly_fields, "company")

    def has_load_file_permission(self, request: HttpRequest) -> bool:
        """Whether the user may load a file, which adds products and changes others."""
        return self.has_add_permission(request) and self.has_change_permission(request)

    @action(description="Load a file", url_path="load-file", permissions=["load_file"])
    def load_file(self, request: HttpRequest) -> HttpResponse:
        """The page with the form, which shows each problem of a file that is not right."""
        if not self.has_load_file_permission(request):
            raise PermissionDenied
        form = ProductFileForm(request.POST or None, request.FILES or None)
        problems: list[str] = []
        if request.method == "POST" and form.is_valid():
            company, file = form.cleaned_data["company"], form.cleaned_data["file"]
            try:
                loaded = load_products(company, file.name, file.read(MAX_BYTES + 1))
            except FileRefused as refusal:
                problems = list(refusal.lines())
            else:
                messages.success(request, f"{company}: {loaded}.")
                return redirect(admin_url(self, "shipcrowd_couriers_product_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "title": "Load a file of products",
            "form": form,
            "problems": problems,
            "columns": FIELDS,
            "back": admin_url(self, "shipcrowd_couriers_product_changelist"),
        }
        template = "admin/shipcrowd_couriers/load_products.html"
        return TemplateResponse(request, template, context)
