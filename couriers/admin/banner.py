"""The banner above every page: couriers that are not for everybody, and circuits that are open.

A project has it filled by unfold: UNFOLD["GLOBAL_CALLBACK"] = "couriers.admin.banner.notices".
The template admin/shipcrowd_couriers/banner.html shows it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.utils import quote
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from couriers.admin.today.facts import accounts_for, once
from couriers.admin.today.work_filter import url_of
from couriers.operations import health_lists
from couriers.operations.health_lists import open_circuits
from couriers.operations.rollouts import PERMISSION, Restriction, restrictions
from couriers.operations.staff import companies_of
from couriers.resilience.shared import RedisUnavailable

MAX_CIRCUITS = 3  # that are named; more are counted


@dataclass(frozen=True, slots=True)
class Notice:
    """One line of the banner. `by` and `why` are of the decision, "" where there was none."""

    text: str
    since: dt.datetime
    by: str = ""
    why: str = ""
    url: str = ""
    link: str = ""


def notices(request: HttpRequest) -> dict[str, Any]:
    """Unfold's GLOBAL_CALLBACK: add what the banner says, for members of staff."""
    user = getattr(request, "user", None)
    if user is None or not (user.is_active and user.is_staff):
        return {}
    site = request.resolver_match.namespace if request.resolver_match else "admin"
    couriers = once(request, ("restricted",), restrictions) or []
    found = [_courier_notice(one, request, site) for one in couriers]
    return {"shipcrowd_notices": [*found, *_circuit_notices(request, site)]}


def _courier_notice(one: Restriction, request: HttpRequest, site: str) -> Notice:
    """Say what is limited. A reason may name companies: it is for users who see all of them."""
    courier, for_all = one.courier, companies_of(request.user) is None
    may_roll_out = courier.is_enabled and for_all and request.user.has_perm(PERMISSION)
    name = "shipcrowd_rollout" if may_roll_out else "shipcrowd_couriers_courier_change"
    may_see = may_roll_out or request.user.has_perm("shipcrowd_couriers.view_courier")
    return Notice(
        f"{courier.name} {one.what}."
        if courier.is_enabled
        else f"{courier.name} is switched off: it takes no new booking.",
        one.since or courier.updated_at,
        one.by,
        one.reason if for_all else "",
        _url(name, courier.pk, site) if may_see else "",
        "Change the roll-out" if may_roll_out else "Open the courier",
    )


def _circuit_notices(request: HttpRequest, site: str) -> list[Notice]:
    accounts = accounts_for(request) or []
    try:
        found = open_circuits(accounts)
    except RedisUnavailable:
        return []
    if not found:
        return []
    ids = companies_of(request.user)
    seen = [one for one in accounts if one.pk in found and (ids is None or one.company_id in ids)]
    may_see = request.user.has_perm("shipcrowd_couriers.view_courieraccount")
    if len(seen) > MAX_CIRCUITS:
        since = dt.datetime.fromtimestamp(min(found[one.pk] for one in seen), dt.UTC)
        circuits = next(one for one in health_lists.registered() if one.name == "circuits")
        url = url_of(circuits, site) if may_see else None
        text = f"{len(seen)} circuits are open: calls of these accounts are held back."
        return [Notice(text, since, url=url or "", link="Show the accounts")]
    return [
        Notice(
            f"The circuit of {one.company} to {one.courier} is open: its calls are held back.",
            dt.datetime.fromtimestamp(found[one.pk], dt.UTC),
            url=_url("shipcrowd_couriers_courieraccount_change", one.pk, site) if may_see else "",
            link="Open the account",
        )
        for one in seen
    ]


def _url(name: str, pk: str, site: str) -> str:
    try:
        return reverse(f"admin:{name}", args=[quote(pk)], current_app=site)
    except NoReverseMatch:
        return ""
