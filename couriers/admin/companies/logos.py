"""Admin of companies' logos, which tracking pages show."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.widgets import UnfoldAdminFileFieldWidget

from couriers.admin.base import PageAdmin
from couriers.admin.registration import page
from couriers.models import CompanyLogo
from couriers.models.addresses import NoAddress, path_of
from couriers.tracking.logo_images import MAX_BYTES, NotALogo, read_logo


class LogoForm(forms.ModelForm):
    """The form of a logo. The uploaded file is read at once, and what is read of it is stored."""

    image = forms.FileField(
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": "image/png,image/jpeg,image/webp"}),
        help_text="A PNG, JPEG or WebP image. Tracking pages show it 80 pixels high at most.",
    )

    class Meta:
        model = CompanyLogo
        fields = ("company",)

    def clean_image(self) -> Any:
        """Read the image. Raises ValidationError where it is none, or too large."""
        upload = self.cleaned_data["image"]
        try:
            self.read = read_logo(upload.read(MAX_BYTES + 1))
        except NotALogo as error:
            raise ValidationError(str(error)) from None
        return upload

    def save(self, commit: bool = True) -> Any:
        """Store the image with its size and digest."""
        row: CompanyLogo = self.instance
        row.content, row.content_type = self.read.content, self.read.content_type
        row.width, row.height = self.read.width, self.read.height
        row.digest = self.read.digest
        return super().save(commit)


@page(CompanyLogo)
class CompanyLogoAdmin(PageAdmin):
    """Logos of companies, one each. It is public as soon as it is stored."""

    company_path = "company"
    form = LogoForm
    list_display = ("company", "preview", "updated_at")
    search_fields = ("company__slug", "company__name")
    list_filter = ("company",)
    list_select_related = ("company",)
    autocomplete_fields = ("company",)
    fields = ("company", "preview", "image", "updated_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The logos, without their bytes."""
        return super().get_queryset(request).defer("content")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A logo stays with its company."""
        fixed = ("preview", "updated_at")
        return fixed if obj is None else ("company", *fixed)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A user who may not change it has no field for a file."""
        found = super().get_fields(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return found
        return [name for name in found if name != "image"]

    @admin.display(description="Logo")
    def preview(self, row: CompanyLogo) -> str:
        """The image as it is served."""
        try:
            address = path_of("couriers_tracking:logo", row.digest) if row.digest else ""
        except NoAddress:
            address = ""
        if not address:
            return "-"
        return format_html(
            '<img src="{}" alt="Logo of {}" width="{}" height="{}" class="bg-white p-1 rounded">',
            address, row.company, row.width // 2, row.height // 2,
        )  # fmt: skip
