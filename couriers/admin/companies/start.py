"""The guided start: a company's way from nothing to its first shipment, on one page.

The page shows what the data says (operations/guided_start.py). A button does one step; each may be
pressed again. Courier calls are made outside of any transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from unfold.decorators import action
from unfold.widgets import INPUT_CLASSES

from couriers.admin.base import PageAdmin, admin_url
from couriers.admin.companies.account_pages import CHANGE_ACCOUNT
from couriers.admin.companies.start_steps import DO, PERMISSIONS, carry_out
from couriers.models import Company, CourierAccount, WarehouseRegistration
from couriers.models.fields import readable_or
from couriers.models.warehouse import RegistrationState
from couriers.operations.guided_start import (
    TITLES,
    Step,
    StepKey,
    StepState,
    default_warehouse,
    is_usable,
    steps_of,
)
from couriers.operations.staff import visible_to
from couriers.operations.trials import CONFIRMATION, is_test_account, trial_of
from couriers.operations.webhook_registration import is_by_hand
from couriers.resilience.unavailable import page_while_away

VIEW = ("shipcrowd_couriers.view_company", "shipcrowd_couriers.view_courieraccount")
START = "_start"  # in the query of a form that leads back to the guided start
ICONS = {
    StepState.DONE: "check_circle",
    StepState.FAILED: "error",
    StepState.WAITING: "hourglass_top",
    StepState.TO_DO: "radio_button_unchecked",
}
WORDS = {
    StepState.DONE: "Done",
    StepState.FAILED: "Failed",
    StepState.WAITING: "Waiting",
    StepState.TO_DO: "To do",
}


@dataclass(frozen=True, slots=True)
class ShownStep:
    """A step with its words and what can be pressed: `link` leads elsewhere, `do` is sent."""

    step: Step
    title: str
    icon: str
    word: str
    link: str = ""
    link_text: str = ""
    do: str = ""
    button: str = ""


class LeadsBackToStart(PageAdmin):
    """A form that was opened from the guided start leads back to it once it is saved."""

    company_of: Callable[[Any], Any] = staticmethod(lambda row: row.company_id)

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        """The answer to a form that has added a row."""
        if START in request.GET:
            return redirect(start_url(self, self.company_of(obj), obj))
        return super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """The answer to a form that has changed a row."""
        if START in request.GET:
            return redirect(start_url(self, self.company_of(obj), obj))
        return super().response_change(request, obj)


def start_url(model_admin: PageAdmin, company_id: Any, row: Any = None) -> str:
    """The URL of a company's guided start, with the account where `row` is one."""
    url = admin_url(model_admin, "shipcrowd_guided_start", company_id)
    return f"{url}?account={row.pk}" if isinstance(row, CourierAccount) else url


class GuidedStartMixin(LeadsBackToStart):
    """Adds the page to the admin of companies, with a button on the list and on a company."""

    company_of = staticmethod(lambda row: row.pk)

    @action(
        description="Start a company", url_path="start-a-company", permissions=["start_company"],
        icon="rocket_launch",
    )  # fmt: skip
    def start_company(self, request: HttpRequest) -> HttpResponse:
        """The button of the list: redirect to the page without a company."""
        return redirect(admin_url(self, "shipcrowd_start_company"))

    @action(
        description="Guided start", url_path="guided-start", permissions=["guided_start"],
        icon="rocket_launch",
    )  # fmt: skip
    def guided_start(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The button of a company: redirect to its page."""
        return redirect(start_url(self, object_id))

    def has_start_company_permission(self, request: HttpRequest) -> bool:
        """Whether the button is shown."""
        return self.has_add_permission(request) and request.user.has_perms(VIEW)

    def has_guided_start_permission(
        self, request: HttpRequest, object_id: str | None = None
    ) -> bool:
        """Whether the button is shown."""
        return request.user.has_perms((*VIEW, CHANGE_ACCOUNT))

    def get_urls(self) -> list[URLPattern]:
        @page_while_away
        @transaction.non_atomic_requests
        def view(request: HttpRequest, pk: str = "") -> HttpResponseBase:
            if not request.user.has_perms(VIEW):
                raise PermissionDenied
            company = None
            if pk:
                rows = visible_to(request.user, Company.objects.all(), "pk")
                company = get_object_or_404(rows, pk=unquote(pk))
            return self._start_page(request, company)

        guarded = self.admin_site.admin_view(view)
        return [
            path("start/", guarded, name="shipcrowd_start_company"),
            path("<str:pk>/start/", guarded, name="shipcrowd_guided_start"),
            *super().get_urls(),
        ]

    def _start_page(self, request: HttpRequest, company: Company | None) -> HttpResponseBase:
        accounts = list(
            CourierAccount.objects.filter(company=company).select_related("company", "courier")
            if company
            else ()
        )
        account = _chosen(request, accounts)
        if request.method == "POST":
            return self._post(request, company, account)
        usable = account if account and is_usable(account) else None
        steps = [self._shown(request, step, company, usable) for step in steps_of(company, account)]
        request.current_app = self.admin_site.name
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": f"Guided start of {company}" if company else "Start a company",
            "company": company,
            "accounts": accounts,
            "account": account,
            "steps": steps,
            "done": sum(one.step.state == StepState.DONE for one in steps),
            "is_real": bool(usable) and not is_test_account(usable),  # type: ignore[arg-type]
            "input_classes": " ".join(INPUT_CLASSES),
            "confirmation": CONFIRMATION,
            "another": self._add_url("courieraccount", company, rollout="off") if company else "",
            "may_add_account": request.user.has_perm("shipcrowd_couriers.add_courieraccount"),
            "back": admin_url(self, "shipcrowd_couriers_company_change", company.pk)
            if company
            else admin_url(self, "shipcrowd_couriers_company_changelist"),
        }
        return TemplateResponse(request, "admin/shipcrowd_couriers/start.html", context)

    def _post(
        self, request: HttpRequest, company: Company | None, account: CourierAccount | None
    ) -> HttpResponseBase:
        """Carry out the step that was pressed, and show the page again."""
        do = request.POST.get("do", "")
        if company is None or account is None or not is_usable(account) or do not in DO:
            return redirect(request.path)
        if not request.user.has_perm(PERMISSIONS[do]):
            raise PermissionDenied
        text, level = carry_out(do, request, account)
        messages.add_message(request, level, text)
        return redirect(start_url(self, company.pk, account))

    def _add_url(self, model: str, company: Company | None, **initial: str) -> str:
        query = {START: "1", **initial} | ({"company": str(company.pk)} if company else {})
        return f"{admin_url(self, f'shipcrowd_couriers_{model}_add')}?{urlencode(query)}"

    def _change_url(self, model: str, pk: Any) -> str:
        return f"{admin_url(self, f'shipcrowd_couriers_{model}_change', pk)}?{START}=1"

    def _shown(
        self,
        request: HttpRequest,
        step: Step,
        company: Company | None,
        account: CourierAccount | None,
    ) -> ShownStep:
        """Return the step with what the user may press on it."""
        link, link_text, permission = self._link(step, company, account)
        do, button = _button(step, account)
        may_do = bool(do) and account is not None and request.user.has_perm(PERMISSIONS[do])
        may_link = bool(link) and request.user.has_perm(f"shipcrowd_couriers.{permission}")
        return ShownStep(
            step, TITLES[step.key], ICONS[step.state], WORDS[step.state],
            link=link if may_link else "", link_text=link_text,
            do=do if may_do else "", button=button,
        )  # fmt: skip

    def _link(
        self, step: Step, company: Company | None, account: CourierAccount | None
    ) -> tuple[str, str, str]:
        """Return where else the step is mended, the words of the link, and what it needs."""
        match step.key, step.state:
            case StepKey.COMPANY, StepState.TO_DO:
                url = self._add_url("company", None)
                return url, "Add the company", "add_company"
            case StepKey.ACCOUNT, StepState.TO_DO if company:
                url = self._add_url("courieraccount", company, rollout="off")
                return url, "Add the account", "add_courieraccount"
            case StepKey.LOGIN, StepState.FAILED if account:
                url = self._change_url("courieraccount", account.pk)
                return url, "Correct the login", "change_courieraccount"
            case StepKey.WAREHOUSE, state if company and state != StepState.DONE:
                return self._warehouse_link(company, account)
            case StepKey.CALLBACKS, StepState.TO_DO | StepState.WAITING if account and is_by_hand(
                account
            ):
                url = admin_url(self, "shipcrowd_rotate_secret", account.pk)
                words = "Make a new secret" if account.webhook_secret else "Make the webhook secret"
                return url, words, "change_courieraccount"
            case StepKey.TRIAL, _ if account and (shipment := trial_of(account)):
                url = admin_url(self, "shipcrowd_couriers_shipment_change", shipment.pk)
                return url, "Open the shipment", "view_shipment"
        return "", "", ""

    def _warehouse_link(
        self, company: Company, account: CourierAccount | None
    ) -> tuple[str, str, str]:
        is_test = bool(account and account.is_test)
        found = company.warehouses.filter(is_default=True, is_test=is_test).first()
        if found is None:
            chosen = {"is_default": "on"} | ({"is_test": "on"} if is_test else {})
            url = self._add_url("warehouse", company, **chosen)
            return url, "Add the warehouse", "add_warehouse"
        in_doubt = WarehouseRegistration.objects.filter(
            account=account, warehouse=found, state=RegistrationState.IN_DOUBT
        )
        if account and in_doubt.exists():
            url = admin_url(self, "shipcrowd_give_reference", found.pk)
            return f"{url}?account={account.pk}", "Give the reference", "give_reference"
        return self._change_url("warehouse", found.pk), "Change the warehouse", "change_warehouse"


def _chosen(request: HttpRequest, accounts: list[CourierAccount]) -> CourierAccount | None:
    """Return the account that the page is about: the one that was asked for, else the first.

    Raises Http404 where one was asked for that is none of the company's.
    """
    wanted = request.POST.get("account") or request.GET.get("account")
    if not wanted:
        return accounts[0] if accounts else None
    found = next((one for one in accounts if one.pk == wanted), None)
    if found is None:
        raise Http404
    return found


def _button(step: Step, account: CourierAccount | None) -> tuple[str, str]:
    """Return what the step's button does and says, "" for none."""
    if account is None:
        return "", ""
    again = step.state != StepState.TO_DO
    match step.key, step.state:
        case StepKey.CALLBACKS, _ if is_by_hand(account):
            return "", ""
        case StepKey.LOGIN, _:
            return "login", "Test the login again" if again else "Test the login"
        case StepKey.WAREHOUSE, state if state != StepState.DONE:
            has_one = default_warehouse(account) is not None
            return ("warehouse", "Register the warehouse") if has_one else ("", "")
        case StepKey.CALLBACKS, StepState.TO_DO | StepState.FAILED:
            return "callbacks", "Register the callbacks"
        case StepKey.TEST_CALLBACK, state if readable_or(account, "webhook_secret", ""):
            is_ours = state != StepState.DONE
            return "test_callback", "Send a test callback" if is_ours else "Send another"
        case StepKey.TRIAL, StepState.TO_DO | StepState.FAILED:
            return "trial", "Book the test shipment"
        case StepKey.TRIAL, StepState.WAITING:
            return "track", "Track it now"
        case StepKey.LIVE, StepState.TO_DO:
            return "live", "Let the company book"
    return "", ""
