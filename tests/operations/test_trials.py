"""The trial of an account: booked once, before the company may book, and never real unasked."""

from __future__ import annotations

from typing import Any

import pytest

from couriers.contract.errors import CourierDisabled, CourierNotEnabled, InvalidRequest, Rejected
from couriers.contract.origins import is_test_server
from couriers.models import AuditEntry, Company, Courier, CourierAccount, Shipment
from couriers.operations.trials import book_trial, is_test_account, trial_of
from sandbox.process import SandboxProcess
from tests.support.drafts import raising
from tests.support.factories import CourierAccountFactory, WarehouseFactory, make_staff
from tests.support.rollouts import roll_out
from tests.support.sandboxes import sandbox_fixture

sandbox = sandbox_fixture("--hold")


@pytest.fixture
def actor(db: None) -> Any:
    return make_staff()


def test_it_is_booked_once_at_the_courier_whoever_asks(actor: Any, sandbox: SandboxProcess) -> None:
    account = CourierAccountFactory(client_id="sandbox", base_url=sandbox.url)
    WarehouseFactory(company=account.company)
    shipment = book_trial(account, actor=actor)
    assert (shipment.status, shipment.consignee_name) == ("booked", account.company.name)
    assert book_trial(account, actor=make_staff(username="second")).pk == shipment.pk
    (booked,) = sandbox.shipments()
    assert booked["order_number"] == shipment.order_number
    entry = AuditEntry.objects.get()
    assert (entry.shipment, entry.actor, entry.details["is_real"]) == (shipment, actor, False)


@pytest.mark.parametrize("believed_for", [1.0, 0.0])
def test_it_is_booked_before_the_company_may_book(
    actor: Any, account: Any, monkeypatch: pytest.MonkeyPatch, believed_for: float
) -> None:
    monkeypatch.setattr("couriers.booking.permission.CHECKED_FOR", believed_for)
    roll_out("off")
    CourierAccount.objects.update(rollout="off")
    assert book_trial(account, actor=actor).status == "booked"


def test_a_courier_that_is_switched_off_books_no_trial(actor: Any, account: Any) -> None:
    Courier.objects.update(is_enabled=False)
    with pytest.raises(CourierDisabled) as refused:
        book_trial(account, actor=actor)
    assert not isinstance(refused.value, CourierNotEnabled)


def test_one_that_failed_is_booked_again(actor: Any, account: Any, toy: Any) -> None:
    toy.on_create = raising(Rejected("this pin is not served"))
    with pytest.raises(Rejected):
        book_trial(account, actor=actor)
    failed = trial_of(account)
    assert failed is not None
    toy.on_create = None
    assert book_trial(account, actor=actor).pk == failed.pk
    assert Shipment.objects.get().status == "booked"


def test_a_real_shipment_is_booked_by_who_says_so_in_words_alone(
    actor: Any, account: Any, toy: Any
) -> None:
    CourierAccount.objects.update(base_url="https://api.toy.example")
    account.refresh_from_db()
    for words in ("", "yes", "book a shipment"):
        with pytest.raises(InvalidRequest, match="this is no test server"):
            book_trial(account, actor=actor, confirmation=words)
    assert toy.booked == []
    assert book_trial(account, actor=actor, confirmation="Book a real shipment ").status == "booked"
    assert AuditEntry.objects.get().details["is_real"] is True


def test_it_goes_to_the_warehouse_where_the_company_has_no_address(
    actor: Any, account: Any
) -> None:
    Company.objects.update(phone="", address="", pincode="")
    account.company.refresh_from_db()
    warehouse = account.company.warehouses.get()
    assert book_trial(account, actor=actor).consignee_pincode == warehouse.pincode


@pytest.mark.parametrize(
    ("url", "is_test"),
    [
        ("http://127.0.0.1:8100", True), ("http://[::1]:8100", True), ("http://localhost", True),
        ("https://10.0.0.8", False), ("https://api.toy.example", False),
        ("https://staging.toy.example", True), ("https://eu.try.toy.example", True),
        ("https://try.toy.example.evil.example", False),
    ],
)  # fmt: skip
def test_a_test_server_is_on_this_machine_or_named_by_the_plug_in(
    url: str, is_test: bool, account: Any, toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts = ("staging.toy.example", "*.try.toy.example")
    assert is_test_server(url, hosts) is is_test
    monkeypatch.setattr(toy, "test_hosts", hosts)
    account.base_url = url
    assert is_test_account(account) is is_test
