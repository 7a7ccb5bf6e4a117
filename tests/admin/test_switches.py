"""The switches of new bookings: of a courier, of an account, and of an account's circuit."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.test import Client
from django.urls import reverse

from couriers.booking.protocol import book
from couriers.contract.errors import CourierDisabled
from couriers.models import AuditEntry, Company, Courier, StaffScope
from couriers.operations.rollouts import restrictions
from couriers.resilience.circuit_breaker import CircuitBreaker
from tests.support.admin_forms import press, said
from tests.support.admin_links import buttons, hrefs, list_url, row_url
from tests.support.drafts import DRAFT
from tests.support.factories import CompanyFactory, make_staff
from tests.support.rollouts import roll_out

VIEW = ("view_courier", "view_courieraccount", "view_company")


@pytest.fixture
def operator(client: Client, db: None) -> Any:
    user = make_staff(*VIEW, "change_rollout", "settle_doubt", "change_courier")
    client.force_login(user)
    return user


def test_a_courier_is_switched_off_and_on_with_a_reason(
    client: Client, operator: Any, account: Any
) -> None:
    courier = account.courier
    assert "switch-on" not in buttons(client, row_url(courier))
    url, form = press(client, courier, "switch-off")
    assert "This field is required" in said(client.post(url, form | {"reason": ""}))
    shown = said(client.post(url, form | {"reason": "parcels are lost"}, follow=True))
    assert "Toy takes no new bookings." in shown
    with pytest.raises(CourierDisabled):
        book(account.company, DRAFT)
    (off,) = restrictions()
    assert (off.is_off, off.by, off.reason) == (True, operator.username, "parcels are lost")
    url, form = press(client, courier, "switch-on")
    client.post(url, form | {"reason": "they are found"})
    assert restrictions() == []
    assert book(account.company, DRAFT).status_code == 201
    assert [e.details["after"] for e in AuditEntry.objects.order_by("id")] == [
        {"is_enabled": False}, {"is_enabled": True},
    ]  # fmt: skip


def test_the_second_who_switches_is_told_who_was_first(
    client: Client, operator: Any, account: Any
) -> None:
    url, form = press(client, account.courier, "switch-off")
    client.post(url, form | {"reason": "parcels are lost"})
    again = said(client.post(url, form | {"reason": "me too"}, follow=True))
    assert "Toy is switched off already. Nothing was changed. Decided by operator on " in again
    assert "parcels are lost" in again
    assert AuditEntry.objects.count() == 1


def test_the_courier_s_own_form_does_not_switch_it(
    client: Client, operator: Any, account: Any
) -> None:
    form = {"name": "Toy", "audit-TOTAL_FORMS": "0", "audit-INITIAL_FORMS": "0"}
    assert client.post(row_url(account.courier), form).status_code == 302
    assert Courier.objects.get().is_enabled


def test_an_account_takes_a_share_then_none(client: Client, operator: Any, account: Any) -> None:
    url, form = press(client, account, "switch-bookings")
    missing = client.post(url, form | {"rollout": "canary", "reason": "first day"})
    assert "must be 1 to 100" in said(missing)
    share = {"rollout": "canary", "percent": "20", "reason": "first day"}
    assert "is now canary 20 per cent" in said(client.post(url, form | share, follow=True))
    stale = client.post(url, form | {"rollout": "off", "reason": "late"}, follow=True)
    assert "is on for 20 per cent of the orders now. Nothing was changed. Decided by" in said(stale)
    url, form = press(client, account, "switch-bookings")
    client.post(url, form | {"rollout": "off", "reason": "no go"})
    account.refresh_from_db()
    assert (account.rollout, account.canary_percent) == ("off", 20)
    last = AuditEntry.objects.latest("id")
    assert (last.company, last.details["account"], last.reason) == (
        account.company, account.pk, "no go",
    )  # fmt: skip


def test_an_open_circuit_is_closed_with_a_reason(
    client: Client, operator: Any, account: Any
) -> None:
    assert "close-circuit" not in buttons(client, row_url(account))
    breaker = CircuitBreaker.of_account("toy", account.pk)
    for _ in range(5):
        breaker.before_call()
        breaker.record_failure()
    url, form = press(client, account, "close-circuit")
    shown = said(client.post(url, form | {"reason": "their outage is over"}, follow=True))
    assert f"The circuit of the {account} is closed." in shown
    assert breaker.state() == "closed"
    assert AuditEntry.objects.get().reason == "their outage is over"
    again = said(client.post(url, form | {"reason": "again"}, follow=True))
    assert "The circuit has closed meanwhile. Nothing was done." in again
    assert AuditEntry.objects.count() == 1


def test_the_roll_out_page_leads_to_the_circuits_that_are_open(
    client: Client, operator: Any, account: Any
) -> None:
    breaker = CircuitBreaker.of_account("toy", account.pk)
    url, _ = press(client, account.courier, "change-rollout")
    assert "Close the circuit" not in said(client.get(url))
    for _ in range(5):
        breaker.before_call()
        breaker.record_failure()
    shown = client.get(url)
    assert f"{account}: Close the circuit" in re.sub(r"<[^>]+>", "", said(shown))
    assert reverse("admin:shipcrowd_close_circuit", args=[quote(account.pk)]) in hrefs(shown)


def test_who_is_held_to_a_company_reads_no_other_s_name(
    client: Client, operator: Any, account: Any
) -> None:
    roll_out("companies", companies=[CompanyFactory(slug="bharat").slug])
    assert "bharat" in said(client.get(row_url(account.courier)))
    StaffScope.objects.create(user=operator).companies.add(account.company)
    for url in (row_url(account.courier), list_url(Courier)):
        shown = said(client.get(url))
        assert "Named companies" in shown
        assert "bharat" not in shown


PAGES = {
    "shipcrowd_switch_courier": "toy",
    "shipcrowd_switch_account": "account",
    "shipcrowd_close_circuit": "account",
    "shipcrowd_rotate_secret": "account",
}


@pytest.mark.parametrize("name", PAGES)
def test_who_may_not_decide_sees_no_button_and_is_refused(
    client: Client, account: Any, name: str
) -> None:
    client.force_login(make_staff(*VIEW, "change_courier", username="watcher"))
    assert buttons(client, row_url(account)) == {}
    assert buttons(client, row_url(account.courier)) == {}
    key = account.pk if PAGES[name] == "account" else PAGES[name]
    url = reverse(f"admin:{name}", args=[key])
    form = {"seen": "off", "reason": "x", "rollout": "off"}
    assert (client.get(url).status_code, client.post(url, form).status_code) == (403, 403)
    account.refresh_from_db()
    assert (account.rollout, account.courier.is_enabled) == ("live", True)


@pytest.mark.parametrize("name", PAGES)
def test_who_is_held_to_another_company_decides_nothing(
    client: Client, operator: Any, account: Any, name: str
) -> None:
    permissions = ("change_rollout", "settle_doubt", "change_courieraccount")
    held = make_staff(*VIEW, *permissions, username="held")
    StaffScope.objects.create(user=held).companies.add(CompanyFactory())
    client.force_login(held)
    key = account.pk if PAGES[name] == "account" else PAGES[name]
    answer = client.post(
        reverse(f"admin:{name}", args=[key]), {"seen": "off", "reason": "x", "rollout": "off"}
    )
    assert answer.status_code == (404 if PAGES[name] == "account" else 403)
    assert not AuditEntry.objects.exclude(action="refused").exists()
    assert Company.objects.count() == 2
