"""Trying an account's login at the courier: before a typed one is saved, and one that is stored.

*Test and save* saves nothing where the courier refuses the login, or cannot be asked.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from unfold.decorators import action

from couriers.admin.base import PageAdmin
from couriers.contract.registry import CourierFactory
from couriers.models import CheckOutcome, CourierAccount
from couriers.operations.account_checks import Tried, keep_login, try_login

TEST_AND_SAVE = "shipcrowd_couriers_courieraccount_test_and_save"  # the button's name


def show_tried(request: HttpRequest, said: str, outcome: CheckOutcome) -> None:
    """Add a message with what was said, as good, as doubtful or as bad news."""
    level = {
        CheckOutcome.PASSED: messages.SUCCESS,
        CheckOutcome.NOT_OFFERED: messages.WARNING,
    }.get(outcome, messages.ERROR)
    messages.add_message(request, level, said)


class ConnectionMixin(PageAdmin):
    """Adds *Test and save* to the form of an account."""

    actions_submit_line = ["test_and_save"]

    def get_urls(self) -> list[URLPattern]:
        """The pages' URLs. The form calls the courier, so it runs in no transaction of a request.

        Django saves a form in one of its own.
        """
        urls = super().get_urls()
        for url in urls:
            if str(url.name).endswith(("_add", "_change")):
                url.callback = transaction.non_atomic_requests(url.callback)
        return urls

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show or save the form. With *Test and save* the courier is asked first."""
        context = {**(extra_context or {})}
        if object_id is None:
            context["actions_submit_line"] = self.get_actions_submit_line(request, None)
        if request.method == "POST" and TEST_AND_SAVE in request.POST:
            request.tried_login = self._try_typed(request, object_id)  # type: ignore[attr-defined]
        response: HttpResponse = super().changeform_view(request, object_id, form_url, context)
        return response

    def _try_typed(self, request: HttpRequest, object_id: str | None) -> Tried | None:
        """Try the login of a form that is valid; None where the form is shown again anyway."""
        account = self.get_object(request, unquote(object_id)) if object_id else None
        if object_id and account is None:
            return None
        allowed = (
            self.has_change_permission(request, account)
            if account
            else self.has_add_permission(request)
        )
        if not allowed:
            raise PermissionDenied
        form_class = self.get_form(request, account, change=account is not None)
        form = form_class(request.POST, request.FILES, instance=account)
        return try_login(form.instance) if form.is_valid() else None

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """The form, which is invalid where the courier was asked and did not accept the login."""
        form_class = super().get_form(request, obj, change, **kwargs)
        tried: Tried | None = getattr(request, "tried_login", None)
        if tried and tried.outcome in (CheckOutcome.REFUSED, CheckOutcome.NO_ANSWER):
            return type(form_class.__name__, (form_class,), {"refusal": tried.said})
        return form_class

    @action(description="Test and save")
    def test_and_save(self, request: HttpRequest, account: CourierAccount) -> None:
        """The button: after the account is saved, keep how the try ended."""
        tried: Tried | None = getattr(request, "tried_login", None)
        if tried is not None:
            assert request.user.is_authenticated
            keep_login(account, tried, request.user)
            show_tried(request, tried.said, tried.outcome)

    def _with_key(self, request: HttpRequest, key: str) -> CourierAccount | None:
        """Return the account of a key as it is stored, or as it is quoted in a URL."""
        found: CourierAccount | None = self.get_object(request, key)
        return found or self.get_object(request, unquote(key))

    def get_actions_submit_line(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """The button, where the courier's plug-in is installed and the user may save."""
        found = super().get_actions_submit_line(request, object_id)
        account = self._with_key(request, str(object_id)) if object_id else None
        if object_id and (account is None or account.courier_id not in CourierFactory.codes()):
            return []
        may_save = self.has_change_permission(request, account) or (
            not object_id and self.has_add_permission(request)
        )
        return found if may_save else []
