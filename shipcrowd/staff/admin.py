"""Pages of failed logins and second factors, by which an administrator lets somebody in again.

Nobody sees or filters by a secret: the pages show and filter by the columns that they name.
"""

from __future__ import annotations

from typing import Any

from axes.models import AccessAttempt
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django_otp.plugins.otp_totp.models import TOTPDevice

from couriers.admin.base import ReadOnlyAdmin
from shipcrowd.staff import second_factor


class _DeletableAdmin(ReadOnlyAdmin):
    """Rows that are only seen and deleted."""

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)


class FailedLoginAdmin(_DeletableAdmin):
    """Failed logins. To delete those of a user and an address unlocks them."""

    list_display = ("username", "ip_address", "failures_since_start", "attempt_time")
    search_fields = ("username", "=ip_address")
    fields = ("username", "ip_address", "user_agent", "failures_since_start", "attempt_time")


class AuthenticatorAdmin(_DeletableAdmin):
    """Second factors. To delete one lets its user log in with the password alone."""

    list_display = ("user", "confirmed", "created_at", "last_used_at")
    list_filter = ("confirmed",)
    search_fields = ("user__username",)
    list_select_related = ("user",)
    fields = ("user", "confirmed", "created_at", "last_used_at")

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete the second factor with the recovery codes."""
        second_factor.switch_off(obj.user)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for device in queryset:
            second_factor.switch_off(device.user)


def register_pages(site: admin.AdminSite) -> None:
    """Register the pages on the site."""
    site.register(AccessAttempt, FailedLoginAdmin)
    site.register(TOTPDevice, AuthenticatorAdmin)
