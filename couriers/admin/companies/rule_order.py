"""The buttons that move a rule up and down in the list, with the rights of changing it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.html import format_html_join
from django.views.decorators.http import require_POST
from unfold.decorators import display

from couriers.admin.base import PageAdmin, admin_url
from couriers.models import CourierRule
from couriers.operations.courier_rules import move_rule
from couriers.resilience.unavailable import page_while_away

WAYS = {"up": -1, "down": 1}
ICONS = {"up": "arrow_upward", "down": "arrow_downward"}


class RuleOrderMixin(PageAdmin):
    """Adds the column with the buttons for those who may change rules."""

    list_before_template = "admin/shipcrowd_couriers/rule_order.html"

    def get_list_display(self, request: HttpRequest) -> Any:
        """The columns. The last one has the buttons."""
        shown = super().get_list_display(request)
        return (*shown, "moves") if self.has_change_permission(request) else shown

    @display(description="Move")
    def moves(self, rule: CourierRule) -> str:
        """The two buttons, which send the form above the list: a row can hold none of its own."""
        return format_html_join(
            " ",
            '<button type="submit" form="move-rule" formaction="{}" aria-label="Move {} {}" '
            'class="border border-base-200 dark:border-base-700 rounded-default cursor-pointer">'
            '<span class="material-symbols-outlined md-18" aria-hidden="true">{}</span></button>',
            (
                (
                    admin_url(self, "shipcrowd_move_rule", rule.pk, way),
                    rule.name,
                    way,
                    ICONS[way],
                )
                for way in WAYS
            ),
        )

    def get_urls(self) -> list[URLPattern]:
        view = page_while_away(self.admin_site.admin_view(require_POST(self._move)))
        route = path("<str:pk>/move/<str:way>/", view, name="shipcrowd_move_rule")
        return [route, *super().get_urls()]

    def _move(self, request: HttpRequest, pk: str, way: str) -> HttpResponse:
        """Move the rule by one place, and show the rules of its company in their order."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        if way not in WAYS:
            raise Http404
        rule = get_object_or_404(self.get_queryset(request), pk=unquote(pk))
        user: Any = request.user
        if move_rule(rule, WAYS[way], actor=user):
            messages.success(request, f"{rule.name} is tried at another place now.")
        else:
            messages.info(request, f"Nothing was changed: {rule.name} cannot be moved {way}.")
        rules = admin_url(self, "shipcrowd_couriers_courierrule_changelist")
        return redirect(f"{rules}?company__id__exact={rule.company_id}")
