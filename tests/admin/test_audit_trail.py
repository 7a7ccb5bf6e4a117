"""What people do in the admin is in the audit trail, once, and can be found and read there."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from couriers.models import AuditEntry, Company, Product, Shipment, StaffScope
from couriers.models.audit import Door, acting, record
from tests.support.admin_links import list_url, row_url
from tests.support.factories import make_staff
from webhooks.models import WebhookEvent

TRAIL = "/admin/shipcrowd_couriers/auditentry/"


@pytest.fixture
def asha(client: Client, db: None) -> Any:
    user = get_user_model().objects.create_superuser("asha", password="op")
    client.force_login(user)
    return user


def only_entry() -> AuditEntry:
    assert not LogEntry.objects.exists()
    return AuditEntry.objects.get()


def add_product(client: Client, company: Company) -> Any:
    form = {
        "company": company.pk, "sku": "MUG", "name": "Mug", "hsn_code": "6912", "gst_rate": "12",
        "weight_g": 300,
    }  # fmt: skip
    return client.post("/admin/shipcrowd_couriers/product/add/", form)


def test_an_addition_has_its_values(client: Client, asha: Any, company: Any) -> None:
    assert add_product(client, company).status_code == 302
    entry = only_entry()
    assert (entry.actor, entry.door, entry.action) == (asha, "admin", "add")
    assert (entry.object_key, entry.company) == (str(Product.objects.get().pk), company)
    assert entry.before is None
    assert entry.after["sku"] == "MUG"


def test_a_change_has_what_is_different_and_no_phone_or_address(
    client: Client, asha: Any, company: Any
) -> None:
    warehouse = company.warehouses.get()
    form = {
        "name": "Gate 2", "contact_name": warehouse.contact_name, "phone": "9876500000",
        "email": "gate@acme.example", "address": "7, Hidden Street", "city": warehouse.city,
        "state": warehouse.state, "pincode": warehouse.pincode, "is_default": "on",
    }  # fmt: skip
    old = warehouse.name
    assert client.post(row_url(warehouse), form).status_code == 302
    entry = only_entry()
    assert entry.before == {"name": old}
    assert entry.after == {
        "name": "Gate 2", "phone": "changed", "email": "changed", "address": "changed",
    }  # fmt: skip
    assert "9876500000" not in str(list(AuditEntry.objects.values()))


def test_a_form_that_changes_nothing_is_no_entry(client: Client, asha: Any) -> None:
    group = Group.objects.create(name="Night")
    assert client.post(row_url(group), {"name": "Night", "permissions": []}).status_code == 302
    assert not AuditEntry.objects.exists()


def test_each_deletion_is_an_entry(client: Client, asha: Any, company: Any) -> None:
    for sku in ("A", "B", "C"):
        Product.objects.create(company=company, sku=sku, name=sku, hsn_code="6912")
    first, *others = Product.objects.order_by("sku")
    assert client.post(row_url(first, "delete"), {"post": "yes"}).status_code == 302
    ids = [row.pk for row in others]
    form = {"action": "delete_selected", "_selected_action": ids, "post": "yes"}
    assert client.post(list_url(Product), form).status_code == 302
    found = AuditEntry.objects.order_by("id")
    assert [entry.action for entry in found] == ["delete"] * 3
    assert sorted(entry.before["sku"] for entry in found) == ["A", "B", "C"]


def test_users_and_groups_are_in_it_without_passwords(client: Client, asha: Any) -> None:
    form = {"username": "ravi", "password1": "Str0ng-and-long", "password2": "Str0ng-and-long",
            "usable_password": "true"}  # fmt: skip
    assert client.post("/admin/auth/user/add/", form).status_code == 302
    ravi = get_user_model().objects.get(username="ravi")
    form = {"password1": "An0ther-long-one", "password2": "An0ther-long-one"}
    assert client.post(f"/admin/auth/user/{ravi.pk}/password/", form).status_code == 302
    client.post("/admin/auth/group/add/", {"name": "Night", "permissions": []})
    added, password, group = AuditEntry.objects.order_by("id")
    assert (added.model, added.after["username"]) == ("auth.user", "ravi")
    assert (password.action, password.object_text) == ("change", "ravi")
    assert set(password.after.values()) == {"changed"}
    assert (group.model, group.after["name"]) == ("auth.group", "Night")
    assert "long" not in str(list(AuditEntry.objects.values("before", "after", "details")))


def test_holding_a_user_to_companies_is_in_it(client: Client, asha: Any, company: Any) -> None:
    clerk = make_staff("view_shipment", username="clerk")
    form = {"user": clerk.pk, "companies": [company.pk]}
    assert client.post("/admin/shipcrowd_couriers/staffscope/add/", form).status_code == 302
    scope = StaffScope.objects.get()
    assert client.post(row_url(scope), {"companies": []}).status_code == 302
    added, changed = AuditEntry.objects.order_by("id")
    assert added.after == {"user": str(clerk.pk), "companies": [str(company)]} or added.after == {
        "user": "clerk", "companies": [str(company)],
    }  # fmt: skip
    assert (changed.before, changed.after) == ({"companies": [str(company)]}, {"companies": []})


def test_the_history_of_a_row_is_this_trail(client: Client, asha: Any, shipment: Any) -> None:
    record(shipment, "lift_status", actor=asha, reason="was not delivered", details={"scan": 4})
    with acting(Door.COMMAND, "command load_products by ops"):
        record(shipment.company, "change", before={"city": "Pune"}, after={"city": "Mumbai"})
    page = client.get(row_url(shipment, "history")).content.decode()
    for text in ("asha", "lifted the end", "was not delivered", "scan: 4"):
        assert text in page
    page = client.get(row_url(shipment.company, "history")).content.decode()
    for text in ("command load_products by ops", "city: Pune → Mumbai"):
        assert text in page
    assert "Nobody has changed" in client.get(row_url(shipment.account, "history")).content.decode()


def test_the_trail_reads_as_sentences_and_links_to_the_row(
    client: Client, asha: Any, shipment: Any
) -> None:
    record(shipment, "clear_flag", actor=asha, reason="dealt with", details={"kind": "second"})
    record(shipment.account, "change", actor=asha, after={"webhook_secret": "x"})
    page = client.get(TRAIL).content.decode()
    for text in ("cleared a flag", "kind: second", "dealt with", "webhook secret changed"):
        assert text in page
    assert row_url(shipment) in page
    assert row_url(shipment.account) in page


@pytest.mark.parametrize("term", ["asha", "order", "tracking", "key"])
def test_the_trail_is_searched_by_person_row_and_order(
    client: Client, asha: Any, shipment: Any, term: str
) -> None:
    record(shipment, "clear_flag", actor=asha, reason="dealt with")
    with acting(Door.COMMAND, "command x"):
        record(Company, "run_command")
    wanted = {
        "asha": "asha", "order": shipment.order_number, "tracking": shipment.tracking_id,
        "key": shipment.pk,
    }[term]  # fmt: skip
    found = client.get(TRAIL, {"q": wanted}).context["cl"].result_list
    assert [entry.action for entry in found] == ["clear_flag"]
    assert not client.get(TRAIL, {"q": "nothing"}).context["cl"].result_list


def test_the_trail_is_filtered_by_date_action_and_company(
    client: Client, asha: Any, shipment: Any
) -> None:
    record(shipment, "clear_flag", actor=asha)
    today = timezone.localdate().isoformat()
    for query, count in (
        ({"action": "clear_flag"}, 1), ({"action": "delete"}, 0), ({"door": "admin"}, 1),
        ({"at_from": "2020-01-01", "at_to": "2020-01-02"}, 0),
        ({"at_from": today, "at_to": today}, 1), ({"at_from": "x", "at_to": "9"}, 1),
        ({"company__id__exact": shipment.company_id}, 1),
    ):  # fmt: skip
        answer = client.get(TRAIL, query)
        assert len(answer.context["cl"].result_list) == count, query


def test_a_search_reads_by_index(client: Client, asha: Any, shipment: Any) -> None:
    record(shipment, "clear_flag", actor=asha)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {AuditEntry._meta.db_table}"
            " (actor_name, door, action, model, object_key, object_text, reason, details, at)"
            " SELECT 'p' || n % 50, 'admin', 'change', 'm', 'k' || n, '', '', '{}', now()"
            " FROM generate_series(1, 20000) n"
        )
        cursor.execute(f"ANALYZE {AuditEntry._meta.db_table}")
    with CaptureQueriesContext(connection) as queries:
        client.get(TRAIL, {"q": "asha"})
    # The banner reads the trail, too: who switched a courier off.
    (statement,) = [q["sql"] for q in queries if "\"actor_name\" = 'asha'" in q["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {statement}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Seq Scan on shipcrowd_couriers_auditentry" not in plan, plan
    assert "couriers_audit_of_person" in plan


def test_a_replay_by_the_page_is_one_entry(client: Client, asha: Any, account: Any) -> None:
    event = WebhookEvent.objects.create(
        account=account, content_hash=b"1", body=b"{}", state="dead",
        next_attempt_at=account.created_at, received_at=account.created_at,
    )  # fmt: skip
    url = reverse("admin:shipcrowd_replay_event", args=[event.pk])
    client.post(url, {"confirmed": "on"})
    assert (only_entry().action, only_entry().company) == ("replay_event", account.company)
    assert Shipment.objects.count() == 0
