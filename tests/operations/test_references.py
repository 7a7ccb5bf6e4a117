"""A person gives a courier's reference of a warehouse: it is kept, used and audited."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from couriers.booking.protocol import book
from couriers.contract.adapter import Capability
from couriers.contract.errors import InvalidRequest
from couriers.contract.types import ShipmentRequest
from couriers.models import AuditEntry, CourierAccount, WarehouseRegistration
from couriers.models.warehouse import ADDRESS_CHANGED
from couriers.operations.references import accounts_with_references, give_reference
from couriers.resilience.lock import LockTimeout, hold_lock
from tests.support.drafts import DRAFT
from tests.support.factories import CourierAccountFactory, make_staff

pytestmark = pytest.mark.django_db(transaction=True)
PERMISSIONS = ("view_warehouse", "view_warehouseregistration", "give_reference")


@pytest.fixture
def account(account: CourierAccount, toy: Any, monkeypatch: pytest.MonkeyPatch) -> CourierAccount:
    """An account whose courier knows warehouses by a reference."""
    monkeypatch.setattr(toy, "capabilities", toy.capabilities | {Capability.CREATE_WAREHOUSE})
    return account


@pytest.fixture
def warehouse(account: CourierAccount) -> Any:
    return account.company.warehouses.get()


@pytest.fixture
def actor(db: None) -> User:
    return make_staff(*PERMISSIONS)


def give(account: Any, warehouse: Any, actor: Any, reference: str = "WH-7") -> Any:
    return give_reference(account, warehouse, reference, actor=actor, reason="seen in the panel")


def test_a_booking_uses_the_given_reference(
    account: Any, warehouse: Any, actor: User, toy: Any
) -> None:
    seen: list[ShipmentRequest] = []
    toy.on_create = lambda request: seen.append(request)
    given = give(account, warehouse, actor, " WH-7\n")
    assert (given.reference, given.state, given.reason) == ("WH-7", "synced", "")
    book(account.company, DRAFT)
    assert seen[0].pickup.reference == "WH-7"


def test_a_changed_address_makes_it_pending(account: Any, warehouse: Any, actor: User) -> None:
    give(account, warehouse, actor)
    warehouse.address = "2, Other Road"
    warehouse.save()
    found = WarehouseRegistration.objects.get()
    assert (found.state, found.reason, found.reference) == ("pending", ADDRESS_CHANGED, "WH-7")


def test_the_decision_is_audited_with_what_it_replaced(
    account: Any, warehouse: Any, actor: User
) -> None:
    give(account, warehouse, actor, "WH-6")
    give(account, warehouse, actor)
    assert WarehouseRegistration.objects.count() == 1
    entry = AuditEntry.objects.latest("id")
    assert (entry.actor, entry.action, entry.reason) == (
        actor, "give_reference", "seen in the panel",
    )  # fmt: skip
    assert (entry.company, entry.shipment) == (account.company, None)
    assert entry.details == {
        "warehouse": warehouse.pk, "account": account.pk, "reference": "WH-7", "former": "WH-6",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("reference", "reason", "field"),
    [(" ", "r", "reference"), ("x" * 201, "r", "reference"), ("A\u202eB", "r", "reference"),
     ("WH", " ", "reason")],
)  # fmt: skip
def test_what_cannot_be_stored_is_refused_and_named(
    account: Any, warehouse: Any, actor: User, reference: str, reason: str, field: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        give_reference(account, warehouse, reference, actor=actor, reason=reason)
    assert [problem.field for problem in refused.value.problems] == [field]
    assert not AuditEntry.objects.exists()


def test_only_accounts_of_the_company_whose_couriers_know_references_are_offered(
    account: Any, warehouse: Any, actor: User, toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = CourierAccountFactory(courier=account.courier)
    assert list(accounts_with_references(warehouse)) == [account]
    with pytest.raises(InvalidRequest, match="none that this warehouse"):
        give(other, warehouse, actor)
    without = toy.capabilities - {Capability.CREATE_WAREHOUSE}
    monkeypatch.setattr(toy, "capabilities", without)
    assert not accounts_with_references(warehouse)
    monkeypatch.setattr(toy, "registers_warehouses", True)
    assert list(accounts_with_references(warehouse)) == [account]


def test_it_waits_for_a_booking_that_registers_the_warehouse(
    account: Any, warehouse: Any, actor: User
) -> None:
    with (
        hold_lock(f"register:{account.pk}:{warehouse.pk}", life=60, wait=0),
        pytest.raises(LockTimeout),
    ):
        give(account, warehouse, actor)
    assert not WarehouseRegistration.objects.exists()


def test_an_operator_clicks_from_the_registration_to_the_form(
    account: Any, warehouse: Any, actor: User, client: Client
) -> None:
    known = WarehouseRegistration.objects.create(account=account, warehouse=warehouse)
    client.force_login(actor)
    admin = "admin:shipcrowd_couriers"
    page = client.get(
        reverse(f"{admin}_warehouseregistration_change", args=[known.pk])
    ).content.decode()
    assert "Give the courier&#x27;s reference" in page
    url = reverse("admin:shipcrowd_give_reference", args=[warehouse.pk])
    form = {"account": account.pk, "reference": "WH-9", "reason": "the panel says so"}
    refused = client.post(url, form | {"reason": ""})
    assert refused.context["form"].errors.keys() == {"reason"}
    assert client.post(url, form).status_code == 302
    known.refresh_from_db()
    assert (known.reference, known.state) == ("WH-9", "synced")


def test_the_page_needs_the_permission(account: Any, warehouse: Any, client: Client) -> None:
    client.force_login(make_staff("view_warehouse", username="watcher"))
    change = reverse("admin:shipcrowd_couriers_warehouse_change", args=[warehouse.pk])
    assert "Give a courier" not in client.get(change).content.decode()
    url = reverse("admin:shipcrowd_give_reference", args=[warehouse.pk])
    form = {"account": account.pk, "reference": "WH-9", "reason": "r"}
    assert client.post(url, form).status_code == 403
    assert not WarehouseRegistration.objects.exists()


def test_a_warehouses_e_mail_reaches_the_plug_in(account: Any, warehouse: Any, toy: Any) -> None:
    seen: list[ShipmentRequest] = []
    toy.on_create = lambda request: seen.append(request)
    warehouse.email = "gate@acme.example"
    warehouse.save()
    book(account.company, dataclasses.replace(DRAFT, order_number="E-1"))
    assert seen[0].pickup.email == "gate@acme.example"


def test_a_reference_that_bookings_could_not_use_is_refused(
    account: Any, warehouse: Any, actor: User, toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = classmethod(lambda cls, text: None if "/" in text else "must be an id and a name")
    monkeypatch.setattr(toy, "reference_problem", rule)
    with pytest.raises(InvalidRequest, match="reference: must be an id and a name"):
        give(account, warehouse, actor)
    assert give(account, warehouse, actor, "WH-7/Gate").reference == "WH-7/Gate"
