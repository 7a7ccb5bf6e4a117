"""The page that says what an action will do to which shipments, and does it once confirmed."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.http import url_has_allowed_host_and_scheme

from couriers.admin.base import admin_url
from couriers.admin.decision_pages import add_errors
from couriers.admin.worklists.act_form import ActForm
from couriers.admin.worklists.chosen import CHOOSING, NOTHING_CHOSEN, Chosen, chosen
from couriers.contract import india
from couriers.contract.actions import ActionKind
from couriers.contract.errors import InvalidRequest
from couriers.contract.registry import CourierFactory
from couriers.fulfilment import operator_jobs
from couriers.fulfilment.changes import last_change
from couriers.fulfilment.rules import check_action, check_given
from couriers.fulfilment.starting import start_operator_job
from couriers.models import OperatorJob, OperatorJobItem, Shipment
from couriers.models.operator_job import ItemOutcome, OperatorAct
from couriers.operations.operator_audit import record_job
from couriers.operations.staff import ACT
from couriers.resilience.unavailable import page_while_away

MAX_LISTED = 10  # shipments that the page names
SINGLE_SECONDS = 1.0  # in which the item of a single action is begun
WHAT_HAPPENS = {
    OperatorAct.REATTEMPT: "The courier is asked to attempt the delivery once more.",
    OperatorAct.RTO: "The courier is asked to carry the parcel back to its origin. "
    "Few couriers take this back.",
    OperatorAct.ADDRESS: "The courier is asked to deliver to the new address or phone.",
    OperatorAct.CANCEL: "The courier is asked to cancel. A parcel that was picked up travels back.",
    OperatorAct.PICKUP: "The courier is asked to pick the parcel up on this day.",
    OperatorAct.TRACK: "The courier is asked for the latest scans. Nothing else changes.",
}
LEVELS = {
    ItemOutcome.DONE: messages.SUCCESS,
    ItemOutcome.ACCEPTED: messages.SUCCESS,
    ItemOutcome.REFUSED: messages.ERROR,
    ItemOutcome.CHANGED: messages.WARNING,
    ItemOutcome.UNKNOWN: messages.ERROR,
    ItemOutcome.WAITING: messages.WARNING,
    ItemOutcome.GIVEN_UP: messages.ERROR,
}


def acts_url(
    model_admin: admin.ModelAdmin, view: Callable[..., HttpResponseBase], route: str, name: str
) -> URLPattern:
    """The URL of a page of this room, which is never in a transaction of ATOMIC_REQUESTS."""
    guarded = page_while_away(model_admin.admin_site.admin_view(view))
    return path(route, transaction.non_atomic_requests(guarded), name=name)


class ActMixin(admin.ModelAdmin):
    """Adds the page to the admin of operators' jobs."""

    def get_urls(self) -> list[URLPattern]:
        url = acts_url(self, self.act_page, "act/<str:kind>/", "shipcrowd_act")
        return [url, *super().get_urls()]

    def act_page(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        """Show what will happen to how many shipments, and have it done when it is confirmed."""
        if not request.user.has_perm(ACT):
            raise PermissionDenied
        if kind not in OperatorAct.values:
            raise Http404("no such action")
        act = OperatorAct(kind)
        if request.method == "GET" and not request.GET.keys() & CHOOSING:
            messages.info(request, NOTHING_CHOSEN)
            return redirect(self._next(request) or admin_url(self, "index"))
        found = chosen(request, act)
        if act == OperatorAct.ADDRESS and not found.is_single:
            messages.error(request, "An address is changed for one shipment at a time.")
            return redirect(self.back_url(request, found))
        form = ActForm(act, found.able, request.POST or None, secrets.token_urlsafe(16))
        note = ""
        if request.method == "POST":
            if first := self._job_of(request):  # of a first click on the same form
                return redirect(admin_url(self, "shipcrowd_operator_job", first.pk))
            note = self._what_changed(request, found)
            if note:  # the form is shown again, with the present version and a new token
                form = ActForm(act, found.able, None, secrets.token_urlsafe(16))
            elif found.count and form.is_valid() and self._is_taken(act, found, form):
                return self._carry_out(request, act, found, form)
        return self._render(request, act, found, form, note)

    def _job_of(self, request: HttpRequest) -> OperatorJob | None:
        token = request.POST.get("token", "")[:64].replace("\0", "")
        return OperatorJob.objects.filter(actor_id=request.user.pk, token=token).first()

    def _what_changed(self, request: HttpRequest, found: Chosen) -> str:
        """What happened to a single shipment since its page was made, "" where nothing did."""
        given = _seen_of(request)
        if not found.is_single or not given:
            return ""
        [(pk, version)] = found.seen.items()
        if given.get(pk) in (None, version):
            return ""
        return last_change(Shipment(pk=pk))

    def _is_taken(self, act: OperatorAct, found: Chosen, form: ActForm) -> bool:
        """Whether the courier of a single shipment takes what was given, else add why not."""
        if act == OperatorAct.TRACK or not found.is_single or not found.able:
            return True
        [shipment] = found.able
        adapter = CourierFactory.get_adapter(shipment.account)
        kind = ActionKind(act.value)
        answers = form.answers
        phone = answers["texts"].get("phone", "")
        if phone and (problem := india.single_phone_problem(phone)):
            form.add_error("phone", problem)
        try:
            rule = check_action(adapter, shipment, kind)
            day = answers["day"] if rule.days else None
            slot = answers["slot"]
            check_given(adapter, kind, rule, day=day, slot=slot, texts=answers["texts"])
        except InvalidRequest as error:
            add_errors(form, error)
        return not form.errors

    def _carry_out(
        self, request: HttpRequest, act: OperatorAct, found: Chosen, form: ActForm
    ) -> HttpResponseBase:
        assert request.user.is_authenticated
        token = form.cleaned_data["token"]
        given = _seen_of(request)
        what: dict[str, Any] = {"worklist": found.worklist.name} if found.worklist else {}
        if found.worklist:
            what["filters"] = found.filters
        else:
            what["shipments"] = {
                one.pk: given.get(one.pk) or found.seen[one.pk] for one in found.able
            }
        single = found.able[0] if found.is_single and found.able else None
        with transaction.atomic():
            job, is_new = operator_jobs.create(request.user, act, token, **what, **form.answers)
            if is_new:
                record_job(job, request.user, single, found.count)
        if single is None:
            if is_new:
                start_operator_job(job)
            return redirect(admin_url(self, "shipcrowd_operator_job", job.pk))
        if is_new:
            operator_jobs.work(job.pk, seconds=SINGLE_SECONDS)
        return self._answer_single(request, job, single, found)

    def _answer_single(
        self, request: HttpRequest, job: OperatorJob, shipment: Shipment, found: Chosen
    ) -> HttpResponseBase:
        """Say what came of a single action, and go back to where the operator came from."""
        item = OperatorJobItem.objects.get(job=job, shipment=shipment)
        outcome = ItemOutcome(item.outcome)
        said = f"{job.get_act_display()}, order {shipment.order_number}: {outcome.label.lower()}."
        if outcome == ItemOutcome.CHANGED:
            said = f"Nothing was done. {item.words}"
            messages.warning(request, said)
            return redirect(f"{request.path}?ids={shipment.pk}")
        messages.add_message(request, LEVELS[outcome], f"{said} {item.words}".strip())
        if outcome == ItemOutcome.WAITING:
            start_operator_job(job)
            return redirect(admin_url(self, "shipcrowd_operator_job", job.pk))
        return redirect(self.back_url(request, found))

    def _render(
        self, request: HttpRequest, act: OperatorAct, found: Chosen, form: ActForm, note: str
    ) -> TemplateResponse:
        count = f"{found.count} shipment{'' if found.count == 1 else 's'}"
        single = found.able[0] if found.is_single and found.able else None
        what = f"order {single.order_number}" if single else count
        context = {
            **self.admin_site.each_context(request),
            "title": f"{act.label}: {what}",
            "act": act,
            "happens": WHAT_HAPPENS[act],
            "chosen": found,
            "listed": found.able[:MAX_LISTED],
            "more": max(0, len(found.able) - MAX_LISTED),
            "versions": [f"{one.pk}:{found.seen[one.pk]}" for one in found.able],
            "form": form,
            "note": note,
            "next": self._next(request),
            "back": self.back_url(request, found),
        }
        status = 409 if note else 200
        template = "admin/shipcrowd_couriers/act.html"
        return TemplateResponse(request, template, context, status=status)

    def back_url(self, request: HttpRequest, found: Chosen) -> str:
        """Where the operator came from: the page that the link named, the list or the shipment."""
        if given := self._next(request):
            return given
        if found.worklist:
            return admin_url(self, "shipcrowd_worklist", found.worklist.name)
        if found.is_single:
            one = (found.able or [row.shipment for row in found.refused])[0]
            return admin_url(self, "shipcrowd_couriers_shipment_change", one.pk)
        return admin_url(self, "shipcrowd_couriers_shipment_changelist")

    def _next(self, request: HttpRequest) -> str:
        given = request.POST.get("next") or request.GET.get("next") or ""
        return given if url_has_allowed_host_and_scheme(given, allowed_hosts=None) else ""


def _seen_of(request: HttpRequest) -> dict[str, str]:
    """The versions that the form carries, by the shipments' ids."""
    pairs = [text.partition(":") for text in request.POST.getlist("seen")]
    return {pk: version[:16] for pk, _, version in pairs}
