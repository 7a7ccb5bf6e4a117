"""What the registration of a warehouse says after each end of registering it with Ekart."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from couriers.contract.errors import (
    CourierError,
    CredentialsRefused,
    NotSent,
    Rejected,
    TooManyRequests,
    Unknown,
    UnknownPickupAlias,
)
from couriers.contract.types import Pickup, WarehouseRegistration
from couriers.models import Warehouse
from couriers.models import WarehouseRegistration as Row
from couriers_ekart import warehouses
from couriers_ekart.adapter import EkartAdapter
from sandbox.process import SandboxProcess
from tests.support.drafts import raising
from tests.support.ekart import adapter_at, request_for

pytestmark = pytest.mark.django_db

OPERATION = warehouses.OPERATION


@pytest.fixture
def adapter() -> EkartAdapter:
    return adapter_at("http://127.0.0.1:9")


@pytest.fixture
def pickup(adapter: EkartAdapter) -> Pickup:
    return adapter.account.company.warehouses.get().as_pickup()  # type: ignore[attr-defined]


def register(adapter: EkartAdapter, pickup: Pickup, error: Exception | None = None) -> str:
    """Register the warehouse; Ekart raises the error, or takes the alias "main-gate"."""
    create: Any = raising(error) if error else lambda _: WarehouseRegistration("main-gate")
    return warehouses.ensure_registered(adapter.account, pickup, create)


@pytest.mark.parametrize(
    "error",
    [
        CredentialsRefused("the login is refused", operation="get_token"),
        CredentialsRefused("not allowed for this account", operation=OPERATION),
        TooManyRequests("too fast", operation=OPERATION),
    ],
)
def test_what_says_nothing_of_the_address_leaves_the_registration_pending(
    adapter: EkartAdapter, pickup: Pickup, error: CourierError
) -> None:
    with pytest.raises(type(error)):
        register(adapter, pickup, error)
    row = Row.objects.get()
    assert (row.state, row.reference) == ("pending", "")
    assert row.reason == error.reason


def test_an_address_that_ekart_refuses_is_failed(adapter: EkartAdapter, pickup: Pickup) -> None:
    assert register(adapter, pickup, Rejected("no such pincode", operation=OPERATION)) == ""
    row = Row.objects.get()
    assert (row.state, row.reference) == ("failed", "")
    assert "no such pincode" in row.reason


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (Unknown("read time-out", operation=OPERATION), NotSent),
        (CredentialsRefused("not allowed for this account", operation=OPERATION), None),
    ],
)
def test_an_alias_that_ekart_forgot_is_pending_until_it_is_registered_again(
    adapter: EkartAdapter, pickup: Pickup, error: Exception, raised: type[Exception] | None
) -> None:
    assert register(adapter, pickup) == "main-gate"
    assert Row.objects.get().state == "synced"
    # A booking was refused for the alias, and registers it once more.
    known = dataclasses.replace(pickup, reference="main-gate")
    with pytest.raises(raised or type(error)):
        register(adapter, known, error)
    row = Row.objects.get()
    assert (row.state, row.reference) == ("pending", "main-gate")
    assert register(adapter, known) == "main-gate"
    row.refresh_from_db()
    assert (row.state, row.reason) == ("synced", "")


def test_an_alias_that_ekart_refuses_once_it_is_registered_is_pending(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with SandboxProcess("ekart", "--hold") as sandbox:
        adapter = adapter_at(sandbox.url)
        monkeypatch.setattr(adapter, "_create", raising_twice())
        with pytest.raises(UnknownPickupAlias):
            adapter.create_shipment(request_for(adapter))
    row = Row.objects.get()
    assert (row.state, bool(row.reference)) == ("pending", True)
    assert "not registered" in row.reason


def raising_twice() -> Any:
    """A create call that Ekart refuses for the alias, whatever is registered."""

    def create(_: Any, registered: bool) -> None:
        raise UnknownPickupAlias("the pickup address is not registered", operation="create")

    return create


def test_a_changed_address_is_pending_until_the_next_booking(
    adapter: EkartAdapter, pickup: Pickup
) -> None:
    register(adapter, pickup)
    warehouse = Warehouse.objects.get()
    warehouse.is_default = True
    warehouse.save()
    assert Row.objects.get().state == "synced"
    warehouse.address = "7, Another Road"
    warehouse.save()
    row = Row.objects.get()
    assert (row.state, row.reference) == ("pending", "main-gate")
    assert "address has changed" in row.reason
    register(adapter, warehouse.as_pickup())
    row.refresh_from_db()
    assert (row.state, row.reason) == ("synced", "")
