"""What each role may send to the admin: every URL, as a user of each group."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from couriers.models import AuditEntry, Shipment
from couriers.operations.roles import ADMINISTRATOR, FINANCE, OPERATIONS, ROLES, SUPPORT
from tests.support.admin_links import list_url, row_url
from tests.support.everything import make_everything
from tests.support.roles import staff_of

# Of Django's site itself: for everybody who may log in, and they change no row but one's own.
EVERYBODYS = {
    "index", "login", "logout", "password_change", "password_change_done", "autocomplete", "jsi18n",
    "search", "view_on_site", "app_list", None,
}  # fmt: skip
READS = ("_changelist", "_history")
EXPORT = "_export"
DECISIONS = {
    "shipcrowd_settle_doubt", "shipcrowd_lift_status", "shipcrowd_correct_id",
    "shipcrowd_clear_flag", "shipcrowd_give_reference", "shipcrowd_replay_event",
    "shipcrowd_proof_of_delivery", "shipcrowd_couriers_shipment_settle_doubt",
    "shipcrowd_cancel_parcel", "shipcrowd_couriers_shipment_cancel_parcel",
    "shipcrowd_couriers_shipment_lift_status", "shipcrowd_couriers_shipment_correct_id",
    "shipcrowd_couriers_shipment_clear_flag", "shipcrowd_couriers_shipment_open_proof",
    "shipcrowd_couriers_shipmentflag_clear_flag", "shipcrowd_couriers_storeddocument_open_document",
    "shipcrowd_couriers_manifestchunk_open_document",
    "shipcrowd_couriers_warehouse_give_reference",
    "shipcrowd_couriers_warehouseregistration_give_reference",
    "shipcrowd_webhooks_webhookevent_replay_one", "shipcrowd_show_consignee", "shipcrowd_label",
    "shipcrowd_act", "shipcrowd_row_act", "shipcrowd_close_circuit",
    "shipcrowd_couriers_courieraccount_close_circuit",
    "shipcrowd_operate_endpoint", "shipcrowd_webhooks_webhookendpoint_operate",
    "shipcrowd_try_order", "shipcrowd_couriers_courierrule_try_order",
}  # fmt: skip
READING = {
    "shipcrowd_couriers_shipment_overview", "shipcrowd_find",
    "shipcrowd_couriers_shipment_find_several", "shipcrowd_worklist", "shipcrowd_queues",
    "shipcrowd_alerts", "shipcrowd_operator_job", "shipcrowd_operator_job_csv",
    "shipcrowd_couriers_operatorjob_open_report", "shipcrowd_couriers_courierrule_simulate",
    "shipcrowd_guided_start", "shipcrowd_start_company",
}  # fmt: skip
EDITED = ("company", "companyapikey", "companylogo", "courier", "courieraccount", "courierrule",
          "product",
          "staffscope", "warehouse")  # fmt: skip
KEPT = ("companyapikey", "warehouse")  # a default warehouse, which the company needs
WRITES = ("add", "change")
OWNERS = {
    "shipcrowd_give_reference": "shipcrowd_couriers_warehouse",
    "shipcrowd_rollout": "shipcrowd_couriers_courier",
    "shipcrowd_replay_event": "shipcrowd_webhooks_webhookevent",
    "shipcrowd_operate_endpoint": "shipcrowd_webhooks_webhookendpoint",
    "shipcrowd_switch_courier": "shipcrowd_couriers_courier",
    **dict.fromkeys(
        ("shipcrowd_switch_account", "shipcrowd_close_circuit", "shipcrowd_rotate_secret"),
        "shipcrowd_couriers_courieraccount",
    ),
    "shipcrowd_guided_start": "shipcrowd_couriers_company",
    "shipcrowd_move_rule": "shipcrowd_couriers_courierrule",
    "shipcrowd_operator_job": "shipcrowd_couriers_operatorjob",
    "shipcrowd_operator_job_csv": "shipcrowd_couriers_operatorjob",
}
# Of pages for many rows.
ARGUMENTS = {
    "shipcrowd_worklist": ["ndr"], "shipcrowd_act": ["track"],
    "shipcrowd_row_act": ["flags", "clear"],
}  # fmt: skip
ADMINISTERED = {
    *(f"shipcrowd_couriers_{model}_{page}" for model in EDITED for page in WRITES),
    *(f"shipcrowd_couriers_{model}_delete" for model in EDITED if model not in KEPT),
    *(f"auth_{model}_{page}" for model in ("user", "group") for page in (*WRITES, "delete")),
    "axes_accessattempt_delete", "otp_totp_totpdevice_delete",
    "auth_user_password_change", "shipcrowd_couriers_product_load_file", "shipcrowd_rollout",
    "shipcrowd_couriers_courier_change_rollout", "shipcrowd_switch_courier",
    "shipcrowd_couriers_courier_switch_off",
    "shipcrowd_switch_account", "shipcrowd_couriers_courieraccount_switch_bookings",
    "shipcrowd_rotate_secret", "shipcrowd_couriers_courieraccount_rotate_secret",
    "shipcrowd_couriers_courieraccount_test_connection",
    "shipcrowd_couriers_company_start_company",
    "shipcrowd_couriers_company_guided_start", "shipcrowd_move_rule",
}  # fmt: skip
MAY = {
    SUPPORT: READING,
    OPERATIONS: READING | DECISIONS,
    FINANCE: READING,
    ADMINISTRATOR: READING | DECISIONS | ADMINISTERED,
}


def admin_urls(patterns: Any = None) -> Iterator[URLPattern]:
    """Yield every URL of the admin site."""
    if patterns is None:
        get_resolver().url_patterns  # noqa: B018 - importing them registers all pages
        patterns = admin.site.get_urls()
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from admin_urls(pattern.url_patterns)
        else:
            yield pattern


def writing_urls() -> list[tuple[str, str]]:
    """The name and path of each URL that may change something, for the first row of its table."""
    models = {
        f"{model._meta.app_label}_{model._meta.model_name}": model for model in admin.site._registry
    }
    found = []
    for pattern in admin_urls():
        name = pattern.name
        if name in EVERYBODYS or str(name).endswith(READS):
            continue
        own = [m for prefix, m in models.items() if str(name).startswith(f"{prefix}_")]
        owner = OWNERS.get(str(name), "shipcrowd_couriers_shipment")
        model = own[0] if own else models[owner]
        row = model._default_manager.first()
        arguments = [row.pk if row else 1] * len(pattern.pattern.converters)
        if not arguments and "(?P<" in str(pattern.pattern):
            arguments = [row.pk if row else 1]
        arguments = ARGUMENTS.get(str(name), arguments)
        found.append((str(name), reverse(f"admin:{name}", args=arguments)))
    return found


@pytest.fixture
def rows(account: Any, able: Any) -> Any:
    """A row of every model, in which each decision is there to be made."""
    make_everything(account)
    return account


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_send_what_the_table_says_and_nothing_else(
    client: Client, rows: Any, role: str
) -> None:
    client.force_login(staff_of(role))
    urls = writing_urls()
    assert len(urls) > 100
    allowed = {name for name, url in urls if client.post(url).status_code != 403}
    # Unfold's buttons ask for the state of the row as well.
    of_a_state = {name for name in DECISIONS if not name.startswith("shipcrowd_couriers_")}
    buttons = DECISIONS - of_a_state | {"shipcrowd_couriers_courier_switch_on"}
    exports = {name for name in allowed if name.endswith(EXPORT)}
    assert bool(exports) is (role in (FINANCE, ADMINISTRATOR))
    allowed -= exports
    assert allowed - buttons == MAY[role] - buttons
    assert allowed & (DECISIONS - of_a_state) <= MAY[role]


@pytest.mark.parametrize("role", [SUPPORT, FINANCE])
def test_what_one_may_not_do_is_not_shown(client: Client, rows: Any, role: str) -> None:
    client.force_login(staff_of(role))
    Shipment.objects.update(status="in_doubt")
    page = client.get(row_url(Shipment.objects.get())).content.decode()
    assert "settle-doubt" not in page
    assert "clear-a-flag" not in page
    start = client.get("/admin/").content.decode()
    for hidden in ("/companyapikey/", "/couriertoken/", "/staffscope/", "/auth/user/"):
        assert hidden not in start


def test_a_forged_post_is_refused_and_recorded_once_a_minute(client: Client, rows: Any) -> None:
    support = staff_of(SUPPORT)
    client.force_login(support)
    shipment = Shipment.objects.get()
    url = reverse("admin:shipcrowd_settle_doubt", args=[shipment.pk])
    before = AuditEntry.objects.count()
    for _ in range(5):
        assert client.post(url, {"reason": "my-secret-words"}).status_code == 403
    assert client.post(row_url(shipment.warehouse), {"name": "x"}).status_code == 403
    found = list(AuditEntry.objects.order_by("id"))[before:]
    assert len(found) in (2, 3)  # the minute may end meanwhile
    for entry in found:
        assert (entry.action, entry.actor, entry.actor_name) == ("refused", support, "support")
    assert found[0].details == {"page": "admin:shipcrowd_settle_doubt", "method": "POST"}
    assert "my-secret-words" not in str(list(AuditEntry.objects.values()))


def test_a_forged_action_on_selected_rows_is_refused(client: Client, rows: Any) -> None:
    client.force_login(staff_of(SUPPORT))
    form = {"action": "replay_selected", "_selected_action": ["1"], "confirmed": "on"}
    url = reverse("admin:shipcrowd_webhooks_webhookevent_changelist")
    assert client.post(url, form).status_code == 403
    form = {"action": "delete_selected", "_selected_action": ["1"], "post": "yes"}
    assert client.post(list_url(type(rows)), form).status_code == 403
    assert AuditEntry.objects.filter(action="refused").count() == 2


def test_looking_where_one_may_not_is_refused_without_an_entry(client: Client, rows: Any) -> None:
    client.force_login(staff_of(SUPPORT))
    assert client.get("/admin/auth/user/").status_code == 403
    assert not AuditEntry.objects.filter(action="refused").exists()


PERSONAL = ("9, Secret Lane", "9876543210", "98765 43210")


@pytest.mark.parametrize(
    ("role", "amounts", "address"),
    [(SUPPORT, False, False), (OPERATIONS, False, True), (FINANCE, True, False),
     (ADMINISTRATOR, True, True)],
)  # fmt: skip
def test_amounts_and_addresses_are_for_those_who_may_see_them(
    client: Client, rows: Any, role: str, amounts: bool, address: bool
) -> None:
    client.force_login(staff_of(role))
    page = client.get(row_url(Shipment.objects.get())).content.decode()
    listed = client.get(list_url(Shipment)).content.decode()
    money = client.get(f"{row_url(Shipment.objects.get())}?tab=money").content.decode()
    assert "₹1523" not in page
    assert ("Total amount" in listed) is ("₹1523" in money) is amounts
    assert "9, Secret Lane" not in page
    asked = client.post(reverse("admin:shipcrowd_show_consignee", args=[Shipment.objects.get().pk]))
    assert ("9, Secret Lane" in asked.content.decode()) is address
    company = rows.company
    for row in (company, company.warehouses.get()):
        text = client.get(row_url(row)).content.decode()
        assert ("9845012345" in text) is ("1, Example Road" in text) is address


@pytest.mark.slow
@pytest.mark.parametrize("role", [SUPPORT, FINANCE])
def test_no_page_of_support_or_finance_has_a_phone_or_an_address(
    client: Client, rows: Any, role: str
) -> None:
    user = staff_of(role)
    client.force_login(user)
    opened = 0
    for model in list(admin.site._registry):
        row = model._default_manager.first()
        if row is None or client.get(list_url(model)).status_code != 200:
            continue
        for url in (list_url(model), row_url(row), row_url(row, "history")):
            opened += 1
            text = client.get(url).content.decode()
            for word in (*PERSONAL, "9845012345", "1, Example Road", "9123456780", "is-secret"):
                assert word not in text, (url, word)
    assert opened > 50


@pytest.mark.slow
def test_the_page_before_a_deletion_names_no_rows_that_only_tie_two_together(
    client: Client, rows: Any
) -> None:
    client.force_login(staff_of(ADMINISTRATOR))
    group = Group.objects.get(name=FINANCE)
    page = client.get(reverse("admin:auth_group_delete", args=[group.pk])).content.decode()
    assert "Are you sure" in page
    assert "relationship" not in page
    change = client.get(reverse("admin:auth_group_change", args=[group.pk])).content.decode()
    assert "Can view shipment" in change
    assert "| Can view shipment" not in change
