"""Fields of a page that are shown to those alone who may change them, or have a permission."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from couriers.operations.staff import VIEW_AMOUNTS, VIEW_CONSIGNEE

CONTACT = dict.fromkeys(("phone", "email", "address"), VIEW_CONSIGNEE)
PRICES = {"rate_policy": VIEW_AMOUNTS}


class HiddenFields(admin.ModelAdmin):
    """Leaves out each field of `shown_with` of a user who neither has its permission nor edits."""

    shown_with: ClassVar[Mapping[str, str]] = {}

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The fields that the user may see."""
        found = super().get_fields(request, obj)
        if self.has_change_permission(request, obj) or self.has_add_permission(request):
            return found
        hidden = {n for n, needed in self.shown_with.items() if not request.user.has_perm(needed)}
        return [name for name in found if name not in hidden]
