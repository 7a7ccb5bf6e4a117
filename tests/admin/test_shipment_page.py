"""The page of a shipment: its head, its tabs, and what of the consignee it shows to whom."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from couriers.booking.shipment_actions import actions_allowed
from couriers.models import (
    AuditEntry,
    CourierCall,
    FlagKind,
    Scan,
    Shipment,
    ShipmentAction,
    StaffScope,
)
from couriers.models.flag import raise_flag
from couriers.operations.decisions import record_decision
from couriers.operations.timeline import PER_PAGE
from tests.support.admin_links import hrefs, row_url
from tests.support.factories import CompanyFactory, make_staff
from webhooks.models import EventState, WebhookEvent

MAX_STATEMENTS = 16
NOW = timezone.now()


@pytest.fixture
def page(client: Client, shipment: Shipment) -> str:
    """The page of the shipment, for a user who may see shipments and nothing else."""
    client.force_login(make_staff("view_shipment"))
    return row_url(shipment)


def text_of(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return str(answer.content.decode())


def make_scans(shipment: Shipment, count: int, first: int = 0) -> None:
    Scan.objects.bulk_create(
        Scan(
            shipment=shipment, at=NOW - dt.timedelta(hours=number), status="in_transit",
            courier_status="In Transit", location=f"PLACE-{number}",
        )
        for number in range(first, first + count)
    )  # fmt: skip


def test_the_head_says_where_it_is_and_leaves_out_what_is_empty(
    client: Client, page: str, shipment: Shipment
) -> None:
    make_scans(shipment, 2)
    Shipment.objects.update(status="in_transit", delivery_attempts=2)
    text = text_of(client, page)
    for shown in ("In transit", "PLACE-0", "Delivery attempts", "240 g", str(shipment.company),
                  shipment.courier.name, shipment.consignee_name):  # fmt: skip
        assert shown in text
    for left_out in ("NDR reason", "Waybill", "Promised for", "None"):
        assert left_out not in text


def test_the_consignee_is_shown_to_who_may_and_asks_and_it_is_recorded(
    client: Client, page: str, shipment: Shipment
) -> None:
    button = page.replace("/change/", "/consignee/")
    assert button not in client.get(page).content.decode()
    assert client.post(button).status_code == 403
    decisions = AuditEntry.objects.exclude(action="refused")
    assert not decisions.exists()
    user = make_staff("view_shipment", "view_consignee", username="support")
    client.force_login(user)
    for tab in ("timeline", "documents", "money", "history", "raw"):
        text = text_of(client, f"{page}?tab={tab}")
        assert button in text
        assert "9876543210" not in text
        assert "9, Secret Lane" not in text
    assert client.get(button).status_code == 302
    assert not decisions.exists()
    answer = client.post(button)
    assert "9876543210" in answer.content.decode()
    assert "9, Secret Lane" in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    entry = decisions.get()
    assert (entry.action, entry.actor, entry.shipment) == ("show_consignee", user, shipment)


def test_showing_the_consignee_needs_the_token_of_the_page(shipment: Shipment) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_staff("view_shipment", "view_consignee"))
    assert client.post(row_url(shipment, "consignee")).status_code == 403
    assert not AuditEntry.objects.exists()


def test_amounts_are_shown_to_who_may_see_them(client: Client, page: str) -> None:
    for tab in ("timeline", "money", "raw"):
        assert "112.00" not in text_of(client, f"{page}?tab={tab}")
    client.force_login(make_staff("view_shipment", "view_amounts", username="accountant"))
    for tab in ("money", "raw"):
        assert "112.00" in text_of(client, f"{page}?tab={tab}")


def test_a_user_of_another_company_gets_a_404(client: Client, shipment: Shipment) -> None:
    user = make_staff("view_shipment", "view_consignee", "view_storeddocument")
    scope = StaffScope.objects.create(user=user)
    scope.companies.add(CompanyFactory())
    client.force_login(user)
    assert client.get(row_url(shipment)).status_code == 404
    assert client.post(row_url(shipment, "consignee")).status_code == 404
    scope.companies.add(shipment.company)
    assert client.get(row_url(shipment)).status_code == 200


def test_a_post_to_the_page_is_forbidden(client: Client, page: str) -> None:
    assert client.post(page, {}).status_code == 403


def fill_timeline(shipment: Shipment) -> None:
    """One event of each kind, at times that alternate between the tables."""
    hour = dt.timedelta(hours=1)
    make_scans(shipment, 1)
    CourierCall.objects.create(
        account=shipment.account, shipment=shipment, operation="create_shipment", outcome="ok",
        started_at=NOW - 3 * hour, finished_at=NOW - 3 * hour, message="booked it",
    )  # fmt: skip
    ShipmentAction.objects.create(
        shipment=shipment, kind="rto", state="refused", ended_at=NOW - hour, words="not now",
    )  # fmt: skip
    ShipmentAction.objects.update(asked_at=NOW - 2 * hour)
    raise_flag(shipment, FlagKind.LATE_SCANS)
    shipment.flags.update(raised_at=NOW - 4 * hour)
    record_decision(shipment, None, "lift_status", "it was found", {})  # now, so the newest
    Shipment.objects.filter(pk=shipment.pk).update(
        created_at=NOW - 7 * hour, booked_at=NOW - 6 * hour
    )


def test_the_timeline_has_everything_in_one_order_of_time(
    client: Client, page: str, shipment: Shipment
) -> None:
    fill_timeline(shipment)
    shown = client.get(page).context["timeline"].entries
    assert [(entry.kind.value, entry.title) for entry in shown] == [
        ("decision", "Lift status"),
        ("scan", "In transit"),
        ("action", "Return to origin: refused"),
        ("action", "Asked for: return to origin"),
        ("call", "Call: create shipment, done"),
        ("flag", "Flag raised"),
        ("booking", "Booked"),
        ("booking", "Order taken"),
    ]
    text = text_of(client, page)
    assert "All times are in India (IST)" in text
    for kind in ("scan", "action", "call", "flag", "decision", "booking"):
        kinds = {e.kind for e in client.get(f"{page}?kind={kind}").context["timeline"].entries}
        assert kinds == {kind}


def test_the_timeline_masks_phones_in_what_couriers_write(
    client: Client, page: str, shipment: Shipment
) -> None:
    make_scans(shipment, 1)
    Scan.objects.update(description=f"called 9876543210 about {shipment.tracking_id}")
    text = text_of(client, page)
    assert "9876543210" not in text
    assert f"about {shipment.tracking_id}" in text


def test_a_callback_that_was_given_up_is_in_the_timeline(
    client: Client, page: str, shipment: Shipment
) -> None:
    for number, tracking_id in enumerate((shipment.tracking_id, "ANOTHER")):
        WebhookEvent.objects.create(
            account=shipment.account, content_hash=bytes([number]), next_attempt_at=NOW,
            received_at=NOW, topic="track_updated", state=EventState.DEAD, reason="no such status",
            body=b'{"topic": "track_updated", "id": "%s"}' % tracking_id.encode(),
        )  # fmt: skip
    entries = client.get(f"{page}?kind=callback").context["timeline"].entries
    assert [(one.title, one.text) for one in entries] == [
        ("Callback track updated: dead", "no such status")
    ]


def test_a_long_timeline_is_read_page_by_page_and_loses_nothing(
    client: Client, page: str, shipment: Shipment
) -> None:
    count = 2 * PER_PAGE + 5
    make_scans(shipment, count)
    twins = [Scan.objects.order_by("-at")[PER_PAGE - 1], Scan.objects.order_by("-at")[PER_PAGE]]
    Scan.objects.filter(pk=twins[1].pk).update(at=twins[0].at)
    seen: list[str] = []
    url: str | None = f"{page}?tab=timeline&kind=scan"
    while url:
        answer = client.get(url)
        seen += [entry.text.split(" · ")[0] for entry in answer.context["timeline"].entries]
        url = next((one for one in hrefs(answer) if "before=" in one), None)
    assert len(seen) == len(set(seen)) == count


@pytest.mark.parametrize("tab", ["timeline", "documents", "money", "history", "raw"])
def test_the_page_makes_as_many_statements_for_many_rows_as_for_few(
    client: Client, shipment: Shipment, tab: str
) -> None:
    user = make_staff(
        "view_shipment", "view_amounts", "view_consignee", "view_storeddocument", "clear_flag",
        "settle_doubt", "lift_status", "act_on_shipment",
    )  # fmt: skip
    StaffScope.objects.create(user=user).companies.add(shipment.company)
    counts = []
    client.force_login(user)
    client.get(row_url(shipment))  # what the sidebar and the banner show is kept for seconds
    for turn in range(2):
        client.force_login(user)
        with CaptureQueriesContext(connection) as few:
            assert client.get(f"{row_url(shipment)}?tab={tab}").status_code == 200
        counts.append(len(few))
        make_scans(shipment, 200, first=200 * turn)
        for _ in range(20):
            record_decision(shipment, user, "lift_status", "again", {})
    assert counts[0] == counts[1]
    assert counts[0] <= MAX_STATEMENTS, counts


@pytest.mark.parametrize("before", ["x", "2026-13-45T00:00:00Z", "2026-01-01T00:00:00", "9" * 40])
def test_an_address_that_somebody_typed_shows_the_newest(
    client: Client, page: str, shipment: Shipment, before: str
) -> None:
    make_scans(shipment, 1)
    for tab in ("timeline", "history"):
        assert text_of(client, f"{page}?tab={tab}&kind=nonsense&before={before}")


def test_what_the_courier_takes_now_leads_to_its_confirmation(
    client: Client, page: str, able: Any, shipment: Shipment
) -> None:
    Shipment.objects.update(status="undelivered")
    assert not [url for url in hrefs(client.get(page)) if "/act/" in url]
    client.force_login(make_staff("view_shipment", "act_on_shipment", username="operations"))
    acts = [url for url in hrefs(client.get(page)) if "/act/" in url]
    shipment.refresh_from_db()
    kinds = [*(kind.value for kind in actions_allowed(shipment)), "track"]
    assert len(kinds) > 1
    assert [url.split("/act/")[1].split("/")[0] for url in acts] == kinds
    for url in acts:
        answer = client.get(url)
        assert answer.status_code == 200
        assert shipment.order_number in answer.content.decode()
