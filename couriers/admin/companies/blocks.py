"""What belongs to a company, as blocks on its page, each with what can be done about it.

A block is shown to whom its rows may be shown. Each reads a few rows by an index.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import NoReverseMatch
from django.utils.formats import date_format
from django.utils.timezone import localtime

from couriers.admin.base import PageAdmin, admin_url
from couriers.admin.companies.rule_form import courier_names
from couriers.admin.companies.start import start_url
from couriers.models import (
    AccountCheck,
    CallbackTally,
    CheckKind,
    CheckOutcome,
    Company,
    CompanyApiKey,
    CompanyLogo,
    CourierAccount,
    CourierRule,
    CourierToken,
    Product,
    Shipment,
    StaffScope,
    Warehouse,
)
from couriers.models.addresses import NoAddress, url_of
from couriers.operations.account_checks import about_login
from couriers.operations.account_problems import account_problems
from couriers.operations.circuits import circuit_state
from couriers.operations.company_rows import MAX_ROWS, CompanyRows
from couriers.operations.guided_start import StepKey
from couriers.operations.rollouts import CompanyAtCourier

MAX_SHIPMENTS = 10
MAX_COUNTED = 1000  # products; more are "over 1,000"
# What a step that is not done is about.
ABOUT = {
    StepKey.LOGIN: "Login",
    StepKey.WAREHOUSE: "Warehouse",
    StepKey.CALLBACKS: "Callbacks",
    StepKey.LIVE: "Bookings",
}
PREFIX = "shipcrowd_couriers_"


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a block: its text, and where it leads, "" for nowhere."""

    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A table of a company's page. `empty` is said where there is no row; `actions` are links."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    empty: str
    actions: Sequence[Cell]


def blocks_of(model_admin: PageAdmin, request: HttpRequest, company: Company) -> list[Block]:
    """Return the blocks that the user may see."""
    rows = CompanyRows(company)
    made: tuple[tuple[str, Callable[[PageAdmin, HttpRequest, CompanyRows], Block]], ...] = (
        ("shipcrowd_couriers.view_courieraccount", _accounts),
        ("shipcrowd_couriers.view_courieraccount", _to_do),
        ("shipcrowd_couriers.view_warehouse", _warehouses),
        ("shipcrowd_couriers.view_courierrule", _rules),
        ("shipcrowd_couriers.view_companyapikey", _keys),
        ("shipcrowd_couriers.view_product", _products),
        ("shipcrowd_couriers.view_shipment", _shipments),
        ("shipcrowd_couriers.view_companylogo", _tracking_pages),
        ("shipcrowd_couriers.view_staffscope", _staff),
    )
    allowed = [make for permission, make in made if request.user.has_perm(permission)]
    return [make(model_admin, request, rows) for make in allowed]


def _accounts(model_admin: PageAdmin, request: HttpRequest, known: CompanyRows) -> Block:
    company = known.company
    keys = [one.account.pk for one in known.accounts]
    tokens = CourierToken.objects.defer("access_token").in_bulk(keys)
    rows = [
        (
            Cell(
                one.account.courier.name, _url(model_admin, "courieraccount_change", one.account.pk)
            ),
            Cell(_login(one.account, known.checks.get((one.account.pk, CheckKind.LOGIN)))),
            Cell(_callbacks(known.tallies.get(one.account.pk))),
            Cell(_token(tokens.get(one.account.pk))),
            Cell(_calls(one)),
            Cell(_may_book(one)),
            Cell("Guided start", start_url(model_admin, company.pk, one.account)),
        )
        for one in known.accounts
    ]
    heads = ("Courier", "Login", "Callbacks", "Token", "Calls", "New bookings", "")
    return Block(
        "Accounts", heads, rows, "No account yet: add one.",
        _add(model_admin, request, "courieraccount", company, "Add an account"),
    )  # fmt: skip


def _to_do(model_admin: PageAdmin, request: HttpRequest, known: CompanyRows) -> Block:
    rows = [
        (
            Cell(f"{one.account.courier}{', test orders' if one.account.is_test else ''}"),
            Cell(ABOUT[one.step.key]),
            Cell(one.step.text),
            Cell("Guided start", start_url(model_admin, known.company.pk, one.account)),
        )
        for one in account_problems(known)
    ]
    heads = ("Courier", "About", "What is so, and what to do", "")
    return Block("To do for the accounts", heads, rows, "Nothing is left to do.", [])


def _login(account: CourierAccount, check: AccountCheck | None) -> str:
    if check is None:
        return "Not tested"
    if check.about != about_login(account):
        return "Changed since it was tested"
    words = {
        CheckOutcome.PASSED: "Accepted",
        CheckOutcome.REFUSED: "Refused",
        CheckOutcome.NO_ANSWER: "Courier was away",
        CheckOutcome.NOT_OFFERED: "Cannot be tested",
    }
    return f"{words[CheckOutcome(check.outcome)]}, {_time(check.at)}"


def _callbacks(tally: CallbackTally | None) -> str:
    if tally is None or (tally.accepted_at is None and tally.refused_at is None):
        return "None so far"
    if tally.is_refused:
        return f"Refused: {tally.refused_count:,}"
    return f"Last good one {_time(tally.accepted_at)}"


def _token(token: CourierToken | None) -> str:
    return f"Until {_time(token.expires_at)}" if token else "None stored"


def _calls(one: CompanyAtCourier) -> str:
    state = circuit_state(one.account)
    words = {"closed": "Made", "open": "Held back: circuit open", "half_open": "Tried again soon"}
    return words[state]


def _may_book(one: CompanyAtCourier) -> str:
    if one.obstacles:
        return f"None: {' and '.join(one.obstacles)}"
    own = len(one.account.limits)
    limits = f"; own limits for {own} operations" if own else ""
    share = f"{one.account.canary_percent} per cent of the orders"
    return (share if one.account.rollout == "canary" else "All orders") + limits


def _warehouses(model_admin: PageAdmin, request: HttpRequest, known: CompanyRows) -> Block:
    company = known.company

    def registered(row: Warehouse) -> str:
        found = known.registrations.get(row.pk, [])
        texts = [f"{one.account.courier}: {one.get_state_display().lower()}" for one in found]
        return "; ".join(texts) or "Nowhere so far"

    rows = [
        (
            Cell(row.name, _url(model_admin, "warehouse_change", row.pk)),
            Cell(f"{row.city}, {row.pincode}"),
            Cell("Default" if row.is_default else ""),
            Cell(registered(row)),
        )
        for row in known.warehouses
    ]
    return Block(
        "Warehouses", ("Name", "Place", "", "Registered"), rows, "No warehouse yet: add one.",
        _add(model_admin, request, "warehouse", company, "Add a warehouse"),
    )  # fmt: skip


def _rules(model_admin: PageAdmin, request: HttpRequest, known: CompanyRows) -> Block:
    company = known.company
    found = CourierRule.objects.filter(company=company).order_by("is_test", "position", "id")
    rows = [
        (
            Cell(str(rule.position)),
            Cell(rule.name, _url(model_admin, "courierrule_change", rule.pk)),
            Cell(rule.get_strategy_display()),
            Cell(courier_names(rule)),
            Cell("Test orders" if rule.is_test else ""),
            Cell("" if rule.is_enabled else "Switched off"),
        )
        for rule in found[:MAX_ROWS]
    ]
    actions = _add(model_admin, request, "courierrule", company, "Add a rule")
    if rows:
        simulation = _url(model_admin, "courierrule_simulate")
        actions += [
            Cell("All rules of the company", _list(model_admin, "courierrule", company)),
            Cell("Simulate them", f"{simulation}?{urlencode({'company': company.pk})}"),
        ]
    heads = ("Position", "Rule", "Strategy", "Couriers", "", "")
    return Block(
        "Courier rules", heads, rows, "No rule yet: the cheapest courier is chosen.",
        [one for one in actions if one.url],
    )  # fmt: skip


def _keys(model_admin: PageAdmin, request: HttpRequest, known: CompanyRows) -> Block:
    company = known.company
    found = CompanyApiKey.objects.filter(company=company).order_by("revoked", "-created")
    can_revoke = request.user.has_perm("shipcrowd_couriers.change_companyapikey")
    rows = []
    for key in found[:MAX_ROWS]:
        url = _url(model_admin, "companyapikey_change", key.pk)
        revoke = Cell("Revoke", url) if can_revoke and not key.revoked else Cell("")
        rows.append(
            (
                Cell(key.prefix, url),
                Cell(key.name),
                Cell(", ".join(key.scopes)),
                Cell(_time(key.last_used_at) if key.last_used_at else "Never used"),
                Cell("Revoked") if key.revoked else revoke,
            )
        )
    heads = ("Prefix", "Name", "Scopes", "Last use", "")
    return Block(
        "API keys", heads, rows, "No key yet: the storefront cannot call the API.",
        _add(model_admin, request, "companyapikey", company, "Add a key"),
    )  # fmt: skip


def _products(model_admin: PageAdmin, request: HttpRequest, known: CompanyRows) -> Block:
    company = known.company
    count = Product.objects.filter(company=company)[: MAX_COUNTED + 1].count()
    many = f"Over {MAX_COUNTED:,}" if count > MAX_COUNTED else f"{count:,}"
    url = _list(model_admin, "product", company)
    rows = [(Cell("1 product" if count == 1 else f"{many} products", url),)] if count else []
    return Block(
        "Products", ("In the catalogue",), rows, "No product yet.",
        _add(model_admin, request, "product", company, "Add a product"),
    )  # fmt: skip


def _shipments(model_admin: PageAdmin, request: HttpRequest, known: CompanyRows) -> Block:
    company = known.company
    latest = Shipment.objects.filter(company=company).select_related("courier").order_by("-id")
    rows = [
        (
            Cell(row.order_number, _url(model_admin, "shipment_change", row.pk)),
            Cell(row.get_status_display()),
            Cell(row.courier.name),
            Cell(row.tracking_id),
            Cell(_time(row.created_at)),
        )
        for row in latest[:MAX_SHIPMENTS]
    ]
    heads = ("Order", "Status", "Courier", "Tracking id", "Created")
    url = _list(model_admin, "shipment", company)
    return Block(
        "Latest shipments", heads, rows, "No shipment yet.",
        [Cell("All shipments of the company", url)] if rows and url else [],
    )  # fmt: skip


def _tracking_pages(model_admin: PageAdmin, request: HttpRequest, known: CompanyRows) -> Block:
    company = known.company
    try:
        form = url_of("couriers_tracking:find", company.slug) if company.is_active else ""
    except NoAddress:
        form = ""
    logo = CompanyLogo.objects.filter(company=company).only("updated_at").first()
    changed = f"Changed {_time(logo.updated_at)}" if logo else "None: its name is shown"
    url = _url(model_admin, "companylogo_change", logo.pk) if logo else ""
    add = [] if logo else _add(model_admin, request, "companylogo", company, "Add a logo")
    row = (Cell(form or "None", form), Cell(changed, url))
    return Block("Tracking pages", ("Form that finds a parcel", "Logo"), [row], "", add)


def _staff(model_admin: PageAdmin, request: HttpRequest, known: CompanyRows) -> Block:
    company = known.company
    held = StaffScope.objects.filter(companies=company).select_related("user").order_by("user")
    rows = [(Cell(str(scope.user)),) for scope in held[:MAX_ROWS]]
    empty = "Nobody is held to it: members of staff without a scope see it."
    return Block("Members of staff held to it", ("User",), rows, empty, [])


def _add(
    model_admin: PageAdmin, request: HttpRequest, model: str, company: Company, text: str
) -> list[Cell]:
    if not request.user.has_perm(f"shipcrowd_couriers.add_{model}"):
        return []
    url = _url(model_admin, f"{model}_add")
    return [Cell(text, f"{url}?{urlencode({'company': company.pk})}")] if url else []


def _list(model_admin: PageAdmin, model: str, company: Company) -> str:
    url = _url(model_admin, f"{model}_changelist")
    return f"{url}?{urlencode({'company__id__exact': company.pk})}" if url else ""


def _url(model_admin: PageAdmin, name: str, *args: Any) -> str:
    """The URL of a page; "" where the site has none."""
    try:
        return admin_url(model_admin, PREFIX + name, *args)
    except NoReverseMatch:
        return ""


def _time(at: Any) -> str:
    local = localtime(at)
    return f"{date_format(local, 'j M Y, H:i')} {local.tzname()}"
