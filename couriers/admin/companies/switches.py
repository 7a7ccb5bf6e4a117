"""The switches of new bookings: of a courier, of one company with it, and an account's circuit.

Each is a page behind a button on the row's own page. It says what will happen and asks for a
reason; whoever presses after somebody else is told who was first.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from unfold.decorators import action
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from couriers.admin.base import PageAdmin, admin_url
from couriers.admin.companies.account_pages import (
    ReasonForm,
    account_page,
    account_url,
    decides_for_all,
    render_decision,
)
from couriers.admin.decision_pages import add_errors
from couriers.contract.errors import InvalidRequest
from couriers.models import AuditEntry, Courier, CourierAccount
from couriers.models.account import Rollout
from couriers.operations import doubt
from couriers.operations.circuits import circuit_state, close_circuit
from couriers.operations.rollouts import PERMISSION, SWITCHED
from couriers.operations.switches import (
    DecidedBefore,
    decided,
    last_switch_of,
    seen_of,
    switch_account,
    switch_courier,
)
from couriers.resilience.unavailable import page_while_away

WITHIN = "Bookings that are under way go on; others obey within a second."
EXISTING = "Shipments that exist are tracked, changed and settled as before."


class CourierSwitchMixin(PageAdmin):
    """Adds *Switch off* or *Switch on* to a courier: its kill switch."""

    @action(
        description="Switch off", url_path="switch-off", permissions=["switch_off"], icon="block"
    )
    def switch_off(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The button of a courier that is on: redirect to the page."""
        return redirect(admin_url(self, "shipcrowd_switch_courier", object_id))

    @action(
        description="Switch on", url_path="switch-on", permissions=["switch_on"], icon="play_arrow"
    )
    def switch_on(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The button of a courier that is off: redirect to the page."""
        return redirect(admin_url(self, "shipcrowd_switch_courier", object_id))

    def has_switch_off_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Whether the button is shown."""
        return self._may_switch(request, object_id, is_enabled=True)

    def has_switch_on_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Whether the button is shown."""
        return self._may_switch(request, object_id, is_enabled=False)

    def _may_switch(self, request: HttpRequest, pk: str | None, *, is_enabled: bool) -> bool:
        if not decides_for_all(request, PERMISSION):
            return False
        return pk is None or Courier.objects.filter(pk=pk, is_enabled=is_enabled).exists()

    def get_urls(self) -> list[URLPattern]:
        @page_while_away
        @transaction.non_atomic_requests
        def view(request: HttpRequest, pk: str) -> HttpResponseBase:
            if not decides_for_all(request, PERMISSION):
                raise PermissionDenied
            return self._switch_page(request, get_object_or_404(Courier, pk=unquote(pk)))

        url = path(
            "<str:pk>/switch/", self.admin_site.admin_view(view), name="shipcrowd_switch_courier"
        )
        return [url, *super().get_urls()]

    def _switch_page(self, request: HttpRequest, courier: Courier) -> HttpResponseBase:
        """Show what will happen, and switch when the form is sent."""
        back = admin_url(self, "shipcrowd_couriers_courier_change", courier.pk)
        to = "off" if courier.is_enabled else "on"
        form = ReasonForm(request.POST or None, initial={"seen": to})
        if request.method == "POST" and self._switch(request, courier, form):
            return redirect(back)
        off = courier.is_enabled
        last = AuditEntry.objects.filter(courier=courier, action=SWITCHED).first()
        facts = (
            f"No company can book with {courier.name} from then on."
            if off
            else f"Companies can book with {courier.name} again, as far as its roll-out goes.",
            WITHIN if off else "",
            EXISTING if off else "",
            decided(last),
        )
        name = "Switch off" if off else "Switch on"
        return render_decision(
            self, request, f"{name} new bookings with {courier.name}?", facts=facts, form=form,
            button=name, back=back, is_danger=off,
        )  # fmt: skip

    def _switch(self, request: HttpRequest, courier: Courier, form: ReasonForm) -> bool:
        """Carry out the decision. Returns False where the form must be shown again."""
        assert request.user.is_authenticated
        if not form.is_valid():
            return False
        on = form.cleaned_data["seen"] == "on"
        try:
            switch_courier(
                courier.pk, on=on, actor=request.user, reason=form.cleaned_data["reason"]
            )
        except DecidedBefore as before:
            messages.warning(request, str(before))
            return True
        except InvalidRequest as error:
            add_errors(form, error)
            return False
        state = "takes new bookings again" if on else "takes no new bookings"
        messages.success(request, f"{courier.name} {state}.")
        return True


class AccountSwitchForm(ReasonForm):
    """Which of the company's orders the account takes, and why that is changed."""

    rollout = forms.ChoiceField(
        label="New bookings of the company",
        choices=[
            (Rollout.OFF, "None: switched off"),
            (Rollout.CANARY, "A share of the orders"),
            (Rollout.LIVE, "All orders"),
        ],
        widget=forms.RadioSelect,
    )
    percent = forms.IntegerField(
        label="Share in per cent (for a share alone)",
        required=False,
        min_value=1,
        max_value=100,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    field_order = ("rollout", "percent", "reason")


class AccountSwitchMixin(PageAdmin):
    """Adds the switch of new bookings, and that of an open circuit, to an account."""

    @action(
        description="Switch bookings", url_path="switch-bookings", permissions=["switch_bookings"]
    )
    def switch_bookings(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The button: redirect to the page."""
        return redirect(admin_url(self, "shipcrowd_switch_account", object_id))

    @action(
        description="Close the circuit", url_path="close-circuit", permissions=["close_circuit"]
    )
    def close_circuit(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The button of an account whose circuit is open: redirect to the page."""
        return redirect(admin_url(self, "shipcrowd_close_circuit", object_id))

    def has_switch_bookings_permission(
        self, request: HttpRequest, object_id: str | None = None
    ) -> bool:
        """Whether the button is shown."""
        return request.user.has_perm(PERMISSION)

    def has_close_circuit_permission(
        self, request: HttpRequest, object_id: str | None = None
    ) -> bool:
        """Whether the button is shown."""
        if not request.user.has_perm(doubt.PERMISSION):
            return False
        account = CourierAccount.objects.filter(pk=object_id).first() if object_id else None
        return account is not None and circuit_state(account) != "closed"

    def get_urls(self) -> list[URLPattern]:
        pages = (
            ("switch", "shipcrowd_switch_account", PERMISSION, self._switch_page),
            ("circuit", "shipcrowd_close_circuit", doubt.PERMISSION, self._circuit_page),
        )
        return [*(account_page(self, *one) for one in pages), *super().get_urls()]

    def _switch_page(self, request: HttpRequest, account: CourierAccount) -> HttpResponseBase:
        """Show what the account takes now, and change it when the form is sent."""
        initial = {
            "rollout": account.rollout,
            "percent": account.canary_percent if account.rollout == Rollout.CANARY else None,
            "seen": seen_of(account),
        }
        form = AccountSwitchForm(request.POST or None, initial=initial)
        if request.method == "POST" and self._switch(request, account, form):
            return redirect(account_url(self, account))
        facts = (
            f"This is about new orders of {account.company} with {account.courier} alone. The "
            "same order always gets the same answer, so a higher share only adds orders.",
            WITHIN,
            EXISTING,
            decided(last_switch_of(account)),
        )
        return render_decision(
            self, request, f"{account}: new bookings", facts=facts, form=form,
            button="Change", back=account_url(self, account),
        )  # fmt: skip

    def _switch(
        self, request: HttpRequest, account: CourierAccount, form: AccountSwitchForm
    ) -> bool:
        """Carry out the decision. Returns False where the form must be shown again."""
        assert request.user.is_authenticated
        if not form.is_valid():
            return False
        given = form.cleaned_data
        try:
            now = switch_account(
                account.pk, Rollout(given["rollout"]), percent=given["percent"],
                actor=request.user, reason=given["reason"], seen=given["seen"],
            )  # fmt: skip
        except DecidedBefore as before:
            messages.warning(request, str(before))
            return True
        except InvalidRequest as error:
            add_errors(form, error)
            return False
        share = f" {now.canary_percent} per cent" if now.rollout == Rollout.CANARY else ""
        state = now.get_rollout_display().lower()
        messages.success(request, f"The {now} is now {state}{share} for new bookings.")
        return True

    def _circuit_page(self, request: HttpRequest, account: CourierAccount) -> HttpResponseBase:
        """Show the circuit, and close it when the form is sent."""
        back = account_url(self, account)
        form: Any = ReasonForm(request.POST or None, initial={"seen": "open"})
        if request.method == "POST" and form.is_valid():
            assert request.user.is_authenticated
            if circuit_state(account) == "closed":
                messages.info(request, "The circuit has closed meanwhile. Nothing was done.")
            else:
                reason = form.cleaned_data["reason"]
                close_circuit(account, actor=request.user, reason=reason)
                messages.success(request, f"The circuit of the {account} is closed.")
            return redirect(back)
        facts = [
            f"The courier failed several times in a row, so calls of the {account} are held back. "
            "The circuit closes by itself with the first good call after its pause.",
            "Closed by hand, calls are made at once. Where the courier still fails, it opens "
            "again after a few of them.",
        ]
        is_open = circuit_state(account) != "closed"
        if not is_open:
            facts = ["The circuit is closed: calls are made."]
        return render_decision(
            self, request, f"{account}: close the circuit?", facts=facts,
            form=form if is_open else None, button="Close the circuit", back=back,
        )  # fmt: skip
