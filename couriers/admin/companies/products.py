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
from couriers.operations.staff import visible_to


class ProductFileForm(forms.Form):
    """A company, and the file of its products."""

    company = forms.ModelChoiceField(Company.objects.none(), widget=UnfoldAdminSelectWidget)
    file = forms.FileField(widget=UnfoldAdminFileFieldWidget)

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["company"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = visible_to(user, Company.objects.order_by("slug"), "pk")


@page(Product)
class ProductAdmin(PageAdmin):
    company_path = "company"
    list_display = (
        "sku", "name", "company", "hsn_code", "gst_rate", "weight_g", "is_test", "updated_at",
    )  # fmt: skip
    search_fields = ("sku", "name")
    list_filter = ("is_test", "company")
    list_select_related = ("company",)
    autocomplete_fields = ("company",)
    readonly_fields = ("id", "created_at", "updated_at")
    actions_list = ("load_file",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        fixed = (*self.readonly_fields, "company", "is_test")
        return self.readonly_fields if obj is None else fixed

    def has_load_file_permission(self, request: HttpRequest) -> bool:
        """Whether the user may load a file, which adds products and changes others."""
        return self.has_add_permission(request) and self.has_change_permission(request)

    @action(description="Load a file", url_path="load-file", permissions=["load_file"])
    def load_file(self, request: HttpRequest) -> HttpResponse:
        """The page with the form, which shows each problem of a file that is not right."""
        if not self.has_load_file_permission(request):
            raise PermissionDenied
        user: Any = request.user
        form = ProductFileForm(user, request.POST or None, request.FILES or None)
        problems: list[str] = []
        if request.method == "POST" and form.is_valid():
            company, file = form.cleaned_data["company"], form.cleaned_data["file"]
            try:
                content = file.read(MAX_BYTES + 1)
                loaded = load_products(company, file.name, content, actor=user)
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
