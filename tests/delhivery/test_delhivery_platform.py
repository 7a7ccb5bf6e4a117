"""The platform books with Delhivery: what it costs, how a doubt ends, how an account is seeded."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from couriers.booking import reserved_ids
from couriers.booking.protocol import book
from couriers.contract.registry import CourierFactory
from couriers.fulfilment.actions import cancel
from couriers.models import CourierAccount, CourierCall, ReservedId, Shipment
from couriers.tracking import polling
from couriers.tracking.events import apply_tracking
from tests.support.api import post_shipment
from tests.support.delhivery import LOGIN, DelhiverySandbox, account_at
from tests.support.doubts import pass_time, reconcile
from tests.support.drafts import draft_with
from tests.support.factories import CompanyFactory, WarehouseFactory
from tests.support.round_trips import count_round_trips

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_backoff")]
BOOKS = "create_shipment"


@pytest.fixture
def account(sandbox: DelhiverySandbox) -> CourierAccount:
    """An account with a warehouse, whose numbers are there already."""
    found = account_at(sandbox.url)
    WarehouseFactory(company=found.company)
    reserved_ids.fetch(found)
    return found


def draft(number: str) -> Any:
    return draft_with(courier="delhivery", order_number=number)


def settle(shipment: Shipment) -> Shipment:
    """Ask about the doubt until its absence may be believed."""
    for _ in range(5):
        reconcile()
        pass_time(200)
    shipment.refresh_from_db()
    return shipment


def test_a_booking_over_http_keeps_to_its_budget(
    storefront: Client, company: Any, order: Any, sandbox: DelhiverySandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    account = account_at(sandbox.url)
    CourierAccount.objects.filter(pk=account.pk).update(company=company)
    order |= {"courier": "delhivery"}
    assert post_shipment(storefront, order).status_code == 201  # registers, reserves
    trips = count_round_trips(monkeypatch)
    with CaptureQueriesContext(connection) as captured:
        answer = post_shipment(storefront, order | {"order_number": "A-2"})
    assert answer.status_code == 201
    assert 1 <= len(trips) <= 3
    counted = [q["sql"] for q in captured if q["sql"].split()[0] in ("SELECT", "INSERT", "UPDATE")]
    # Ten, two for the reserved number, and one to look for an earlier attempt (docs/booking.md).
    assert len(counted) <= 13, counted


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    "kind", ["partial_save", "might_be_saved", "duplicate_order", "duplicate_waybill",
             "other_environment"],
)  # fmt: skip
def test_a_doubt_ends_by_itself_with_one_booking(
    account: CourierAccount, sandbox: DelhiverySandbox, kind: str, when: str
) -> None:
    number = f"D-{kind}-{when}"
    sandbox.set_faults((BOOKS, f"{kind}_{when}", 1.0))
    shipment = book(account.company, draft(number)).shipment
    sandbox.set_faults()
    shipment = settle(shipment)
    assert shipment.status == "booked"
    assert sandbox.booked(number) == [shipment.tracking_id]


def test_an_empty_wallet_ends_as_failed_with_what_to_do(
    account: CourierAccount, sandbox: DelhiverySandbox
) -> None:
    sandbox.switch(empty_wallet=True)
    result = book(account.company, draft("W-1"))
    assert (result.status_code, result.shipment.status) == (202, "in_doubt")
    assert "recharge it" in result.shipment.failure
    shipment = settle(result.shipment)
    assert shipment.status == "failed"
    assert "recharge it" in shipment.failure
    assert sandbox.booked("W-1") == []
    sandbox.switch(empty_wallet=False)
    assert book(account.company, draft("W-1")).status_code == 201
    assert len(sandbox.booked("W-1")) == 1


def test_a_failed_booking_is_sent_twice_at_most(
    account: CourierAccount, sandbox: DelhiverySandbox
) -> None:
    sandbox.switch(capacity_exceeded=True)
    shipment = settle(book(account.company, draft("C-1")).shipment)
    calls = CourierCall.objects.filter(shipment=shipment, operation=BOOKS)
    assert (shipment.status, calls.count()) == ("failed", 2)


def test_a_cancelled_shipment_whose_status_never_says_so_is_polled_no_more(
    account: CourierAccount, sandbox: DelhiverySandbox
) -> None:
    """Its status stays Not Picked, and the scan DTUP-210 never comes: the call's answer counts."""
    sandbox.switch(cancel_scan_comes=False, edit_lag=0)
    shipment = book(account.company, draft("X-1")).shipment
    cancel(shipment)
    shipment.refresh_from_db()
    assert shipment.status == "cancelled"
    due = polling.due_for_poll(timezone.now() + dt.timedelta(days=1))
    assert not due.filter(pk=shipment.pk).exists()
    adapter = CourierFactory.get_adapter(account)
    shipment = apply_tracking(shipment, adapter.track_shipment(shipment.tracking_id))
    assert shipment.status == "cancelled"


def test_a_number_of_the_test_server_is_never_used_at_the_live_one(
    account: CourierAccount,
) -> None:
    of_the_test_server = set(ReservedId.objects.values_list("number", flat=True))
    with DelhiverySandbox() as live:
        account.base_url = live.url
        account.save()
        shipment = book(account.company, draft("L-1")).shipment
    assert shipment.status == "booked"
    assert shipment.tracking_id not in of_the_test_server
    assert not ReservedId.objects.filter(number__in=of_the_test_server, state="free").exists()


def test_numbers_are_fetched_in_one_large_batch(account: CourierAccount) -> None:
    assert ReservedId.objects.filter(account=account).count() == 2000
    assert reserved_ids.fill(account) == 0


def test_an_account_is_seeded_from_the_environment(
    sandbox: DelhiverySandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = CompanyFactory(slug="acme")
    WarehouseFactory(company=company)
    monkeypatch.setenv("DELHIVERY_BASE_URL", sandbox.url)
    monkeypatch.setenv("DELHIVERY_WEBHOOK_SECRET", "a-secret-of-tests")
    for name, value in LOGIN.items():
        monkeypatch.setenv(f"DELHIVERY_{name.upper()}", value)
    call_command("seed_couriers")
    call_command("seed_courier", "delhivery", "--company", "acme")
    account = CourierAccount.objects.get(company=company)
    assert (account.courier_id, dict(account.login)) == ("delhivery", LOGIN)
