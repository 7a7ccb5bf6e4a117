"""The pages of users and roles, which unfold shows like the others."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.forms import ModelMultipleChoiceField
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from couriers.admin.deletion import DeletionMixin


class PermissionField(ModelMultipleChoiceField):
    """Permissions by their names alone: Django's own texts begin with the app and the model."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{str(obj.name)[:1].upper()}{str(obj.name)[1:]}"


class _WithBoxes(DeletionMixin):
    """Shows each choice with a box to tick, which a keyboard and a screen reader can use."""

    filter_horizontal: ClassVar[Any] = ()

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        kwargs["widget"] = UnfoldAdminCheckboxSelectMultipleWidget
        return super().formfield_for_manytomany(db_field, request, **kwargs)


class UserPage(_WithBoxes, UserAdmin, ModelAdmin):
    """Members of staff. What they may do follows from their groups, which are roles."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Access", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )


class GroupPage(_WithBoxes, GroupAdmin, ModelAdmin):
    """Roles: each group has the permissions of its members."""

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        """The permissions, by their names."""
        kwargs["form_class"] = PermissionField
        return super().formfield_for_manytomany(db_field, request, **kwargs)


def register_pages(site: admin.AdminSite) -> None:
    """Register the pages on the site in place of Django's."""
    site.unregister((User, Group))
    site.register(User, UserPage)
    site.register(Group, GroupPage)
