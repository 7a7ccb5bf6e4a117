"""The work lists: their counts, filters and pages, and what mends their rows."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from couriers.contract.actions import ActionKind, ActionRule
from couriers.contract.statuses import Status
from couriers.models import (
    Assignment,
    AuditEntry,
    FlagKind,
    Manifest,
    ManifestChunk,
    Scan,
    Shipment,
    ShipmentAction,
    ShipmentFlag,
    ShipmentNote,
    StaffScope,
    WarehouseRegistration,
)
from couriers.models.flag import raise_flag
from couriers.operations.erasure import erase_locked
from tests.support.acts import ACTS, staff_client
from tests.support.factories import CompanyFactory, CourierAccountFactory, ShipmentFactory

pytestmark = pytest.mark.django_db(transaction=True)

NOW = timezone.now()


def list_url(name: str, query: str = "") -> str:
    return f"{reverse('admin:shipcrowd_worklist', args=[name])}{query}"


def page_of(client: Client, name: str, query: str = "") -> str:
    answer = client.get(list_url(name, query))
    assert answer.status_code == 200
    return answer.content.decode()


def undelivered(account: Any, count: int = 1, **values: Any) -> list[Shipment]:
    return [
        ShipmentFactory(
            account=account, warehouse=account.company.warehouses.get(), status="undelivered",
            **{"status_at": NOW - dt.timedelta(hours=count - number)} | values,
        )
        for number in range(count)
    ]  # fmt: skip


@pytest.fixture
def operator() -> Client:
    return staff_client(*ACTS)


def test_an_ndr_row_tells_all_that_is_needed(operator: Client, account: Any, able: Any) -> None:
    [one] = undelivered(account, delivery_attempts=2, ndr_reason="refused by customer")
    Scan.objects.create(
        shipment=one, at=NOW, courier_status="undelivered", description="door closed, 9845012345"
    )
    content = page_of(operator, "ndr")
    for text in (one.order_number, "Refused", ">2<", "door closed", "•••••••210", "no: "):
        assert text in content
    assert "9876543210" not in content
    assert "9845012345" not in content


def test_the_deadline_is_the_couriers_rule(operator: Client, account: Any, able: Any) -> None:
    rule = ActionRule(frozenset({Status.UNDELIVERED}), max_attempts=3)
    rules = able.action_rules
    able.action_rules = {**rules, ActionKind.REATTEMPT: rule}
    try:
        undelivered(account, delivery_attempts=2)
        assert "yes, 2 more" in page_of(operator, "ndr")
    finally:
        able.action_rules = rules


def test_pages_go_on_where_the_last_one_ended(operator: Client, account: Any) -> None:
    rows = undelivered(account, 120)
    seen, query = [], ""
    while True:
        answer = operator.get(list_url("ndr", query))
        seen += [row.pk for row in answer.context["rows"]]
        query = answer.context["following"]
        if not query:
            break
    assert seen == [one.pk for one in rows]
    assert answer.context["tabs"][1]["count"] == 120


def test_a_longer_list_costs_no_more_statements(operator: Client, account: Any, able: Any) -> None:
    counts = []
    page_of(operator, "ndr")  # what the banner shows is kept for seconds
    for more in (2, 40):
        undelivered(account, more, ndr_reason="refused by customer")
        with CaptureQueriesContext(connection) as queries:
            page_of(operator, "ndr")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 20


def test_filters_leave_their_rows(operator: Client, account: Any) -> None:
    mine, other = undelivered(account, 2)
    Shipment.objects.filter(pk=mine.pk).update(ndr_reason="door locked")
    operator.post(list_url("ndr"), {"assign": mine.pk})
    for query in ("?mine=1", "?reason=door+locked"):
        content = page_of(operator, "ndr", query)
        assert mine.order_number in content
        assert other.order_number not in content
    assert other.order_number in page_of(operator, "ndr", f"?company={account.company_id}")
    assert other.order_number not in page_of(operator, "ndr", "?company=0&courier=toy")
    assert operator.get(list_url("ndr", "?company=x&after=%00|%00")).status_code == 200
    assert operator.get(list_url("ndr", "?after=x|y")).status_code == 404


def test_a_user_held_to_a_company_sees_and_counts_its_rows_alone(account: Any) -> None:
    [hidden] = undelivered(account)
    held = staff_client(*ACTS)
    company = CompanyFactory()
    StaffScope.objects.create(user=held.get("/admin/").wsgi_request.user).companies.add(company)
    answer = held.get(list_url("ndr"))
    assert (answer.context["rows"], answer.context["tabs"][1]["count"]) == ([], 0)
    assert account.company.name not in answer.content.decode()
    for way in ("assign", "note"):
        assert held.post(list_url("ndr"), {way: hidden.pk, "text": "x"}).status_code == 404


def test_a_phone_is_shown_once_and_recorded(account: Any) -> None:
    [one] = undelivered(account)
    client = staff_client(*ACTS, "view_consignee")
    assert "Show phone" in page_of(client, "ndr")
    shown = client.post(list_url("ndr"), {"phone": one.pk})
    assert "9876543210" in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    assert "9876543210" not in page_of(client, "ndr")
    assert AuditEntry.objects.get().action == "show_phone"
    support = staff_client("view_shipment", username="support")
    assert "Show phone" not in page_of(support, "ndr")
    assert support.post(list_url("ndr"), {"phone": one.pk}).status_code == 403


def test_the_second_is_told_who_was_first_to_assign(account: Any) -> None:
    [one] = undelivered(account)
    clients = [staff_client(*ACTS, username=name) for name in ("anita", "ravi")]
    barrier, pages = threading.Barrier(2), {}

    def assign(number: int) -> None:
        try:
            barrier.wait(5)
            answer = clients[number].post(list_url("ndr"), {"assign": one.pk}, follow=True)
            pages[number] = answer.content.decode()
        finally:
            connection.close()

    threads = [threading.Thread(target=assign, args=[number]) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    first = Assignment.objects.get().user.username
    assert sorted("is assigned to you" in page for page in pages.values()) == [False, True]
    assert any(f"{first} was first" in page for page in pages.values())


def test_a_selection_is_assigned_and_says_whose_the_others_are(account: Any) -> None:
    rows = undelivered(account, 3)
    anita = staff_client(*ACTS, username="anita")
    anita.post(list_url("ndr"), {"assign": rows[0].pk})
    said = act_on(staff_client(*ACTS), "ndr", "assign", *[one.pk for one in rows])
    assert f"2 assigned to you. anita was first: order {rows[0].order_number}." in said
    assert "1 assigned to nobody." in act_on(anita, "ndr", "unassign", *[one.pk for one in rows])


def test_a_selection_gets_a_note_that_the_audit_trail_does_not_hold(account: Any) -> None:
    rows = undelivered(account, 3)
    erase_locked([rows[0].pk])
    keys = [one.pk for one in rows]
    anita = staff_client(*ACTS)
    said = act_on(anita, "ndr", "note", *keys, text="call 9812345678 first")
    assert "The note is on 2 of them. The consignees of 1 are erased" in said
    assert [one.text for one in ShipmentNote.objects.all()] == ["call 9812345678 first"] * 2
    entry = AuditEntry.objects.get(action="ndr_note")
    assert "9812345678" not in f"{entry.reason}{entry.details}"
    assert "This field is required" in act_on(anita, "ndr", "note", *keys)


def test_a_note_is_masked_and_erased_with_the_consignee(operator: Client, account: Any) -> None:
    [one] = undelivered(account)
    operator.post(list_url("ndr"), {"note": one.pk, "text": "call 9812345678 first"})
    content = page_of(operator, "ndr")
    assert "operator: call" in content
    assert "9812345678" not in content
    too_long = operator.post(list_url("ndr"), {"note": one.pk, "text": "x" * 1001}, follow=True)
    assert "must have 1 to 1000 characters" in too_long.content.decode()
    erase_locked([one.pk])
    assert not ShipmentNote.objects.exists()
    answer = operator.post(list_url("ndr"), {"note": one.pk, "text": "late"}, follow=True)
    assert "the consignee is erased" in answer.content.decode()


def test_who_may_not_sees_no_list_and_no_button(account: Any) -> None:
    [one] = undelivered(account)
    reader = staff_client("view_shipment", username="reader")
    content = page_of(reader, "ndr")
    for text in ("Re-attempt</button>", "Assign to me", "Add a note", "Change address"):
        assert text not in content
    assert reader.post(list_url("ndr"), {"assign": one.pk}).status_code == 403
    assert reader.get(list_url("flags")).status_code == 403
    assert reader.get(list_url("nonsense")).status_code == 404


# What mends rows


def act_on(client: Client, name: str, act: str, *pks: Any, **form: str) -> str:
    url = reverse("admin:shipcrowd_row_act", args=[name, act])
    rows = [str(pk) for pk in pks]
    asked = client.get(url, {"rows": rows})
    assert asked.status_code == 200, asked.status_code
    answer = client.post(url, {"rows": rows} | form, follow=True)
    return str(answer.content.decode())


def test_flags_are_cleared_and_the_second_is_told(shipment: Shipment) -> None:
    raise_flag(shipment, FlagKind.LATE_ANSWER)
    raise_flag(shipment, FlagKind.LATE_SCANS)
    flags = list(ShipmentFlag.objects.values_list("pk", flat=True))
    client = staff_client("view_shipment", "view_shipmentflag", "clear_flag")
    assert "2 cleared." in act_on(client, "flags", "clear", *flags, reason="looked at")
    assert "Nothing is left to do here" in page_of(client, "flags")
    url = reverse("admin:shipcrowd_row_act", args=["flags", "clear"])
    answer = client.post(url, {"rows": flags, "reason": "again"}, follow=True)
    assert "no longer on the list" in answer.content.decode()
    assert {entry.action for entry in AuditEntry.objects.all()} == {"clear_flag", "flags_clear"}


def test_a_forged_act_on_rows_is_403(shipment: Shipment) -> None:
    raise_flag(shipment, FlagKind.LATE_ANSWER)
    client = staff_client("view_shipment", "view_shipmentflag")
    url = reverse("admin:shipcrowd_row_act", args=["flags", "clear"])
    flag = ShipmentFlag.objects.get()
    assert client.post(url, {"rows": flag.pk, "reason": "x"}).status_code == 403
    assert ">Clear<" not in page_of(client, "flags")
    assert ShipmentFlag.objects.open().exists()


def test_a_failed_chunk_is_made_again_unless_it_is_elsewhere(account: Any, able: Any) -> None:
    manifest = Manifest.objects.create(company=account.company, account=account, state="failed")
    chunks = [
        ManifestChunk.objects.create(
            manifest=manifest, position=number, tracking_ids=[f"T{number}"], state="failed",
            finished_at=NOW,
        )
        for number in (1, 2)
    ]  # fmt: skip
    newer = Manifest.objects.create(company=account.company, account=account)
    ManifestChunk.objects.create(manifest=newer, position=1, tracking_ids=["T2"])
    client = staff_client(*ACTS, "view_manifestchunk")
    said = act_on(client, "chunks", "retry", *[one.pk for one in chunks])
    assert "1 being made again. 1 had changed since" in said
    assert [one.state for one in ManifestChunk.objects.filter(manifest=manifest)] == [
        "pending", "failed",
    ]  # fmt: skip


def test_a_failed_registration_is_tried_again(account: Any, able: Any) -> None:
    row = WarehouseRegistration.objects.create(
        account=account, warehouse=account.company.warehouses.get(), state="failed", reason="bad"
    )
    able.registers_warehouses = True
    client = staff_client("view_shipment", "view_warehouseregistration", "give_reference")
    from couriers.contract.types import WarehouseRegistration as Registered

    able.create_warehouse = lambda self, pickup: Registered("W-9")
    try:
        assert "1 registered." in act_on(client, "registrations", "retry", row.pk)
    finally:
        del able.create_warehouse, able.registers_warehouses
    row.refresh_from_db()
    assert (row.state, row.reference) == ("synced", "W-9")


def test_an_unknown_action_is_settled_by_a_person(account: Any, able: Any) -> None:
    [one] = undelivered(account)
    action = ShipmentAction.objects.create(
        shipment=one, kind="rto", state="unknown", outcome="unknown", ended_at=NOW
    )
    raise_flag(one, FlagKind.ACTION_UNKNOWN)
    client = staff_client(*ACTS, "view_shipmentaction")
    assert "1 settled." in act_on(client, "actions", "was-not-done", action.pk, reason="I called")
    action.refresh_from_db()
    assert action.state == "refused"
    assert not ShipmentFlag.objects.open().exists()


def test_a_status_that_a_newer_plug_in_knows_is_mapped(
    account: Any, able: Any, shipment: Shipment
) -> None:
    scan = Scan.objects.create(shipment=shipment, at=NOW, courier_status="in_transit")
    strange = Scan.objects.create(shipment=shipment, at=NOW, courier_status="strange")
    client = staff_client(*ACTS, "view_scan")
    said = act_on(client, "unknown-statuses", "map", scan.pk, strange.pk)
    assert "1 known now. 1 are still not known" in said
    shipment.refresh_from_db()
    assert shipment.status == "in_transit"


def test_every_registered_list_has_looks_and_its_count(operator: Client, account: Any) -> None:
    from couriers.admin.worklists.looks import looks_of
    from couriers.operations.worklists import registered

    assert {one.name for one in registered() if looks_of(one.name) is None} == set()


def test_another_courier_without_a_plug_in_stops_no_list(operator: Client, account: Any) -> None:
    gone = CourierAccountFactory(company=account.company, courier__code="gone")
    undelivered(gone, ndr_reason="x")
    assert "Gone" in page_of(operator, "ndr") or "gone" in page_of(operator, "ndr")


def test_a_link_of_a_row_is_for_those_who_may_go_there(account: Any) -> None:
    shipment = ShipmentFactory(account=account, warehouse=account.company.warehouses.get())
    raise_flag(shipment, FlagKind.EARLIER_COURIER, tracking_id="LATE1", courier="alpha")
    raise_flag(shipment, FlagKind.LATE_ANSWER)
    may = staff_client(*ACTS, "view_shipmentflag")
    may_not = staff_client("view_shipment", "view_shipmentflag", username="reader")
    url = reverse("admin:shipcrowd_cancel_parcel", args=[quote(shipment.pk)])
    assert page_of(may, "flags").count(f'href="{url}"') == 1
    assert url not in page_of(may_not, "flags")
    ShipmentFactory(
        account=account, warehouse=account.company.warehouses.get(), status="in_doubt",
        tracking_id="",
    )  # fmt: skip
    settler = staff_client("view_shipment", "settle_doubt", username="settler")
    assert ">Settle<" in page_of(settler, "doubts")
    assert ">Settle<" not in page_of(may_not, "doubts")
