"""A pickup is asked for a warehouse and a day, once, and stored."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from couriers.contract import india
from couriers.contract.actions import ActionResult, ActionState, PickupScope
from couriers.contract.errors import InvalidRequest, NotSupported, Rejected, Unknown
from couriers.fulfilment import actions
from couriers.fulfilment.pickups import expire_pickups, request_pickup
from couriers.models import CourierCall, Warehouse, WarehousePickup
from couriers.operations.retention import purge
from tests.support.drafts import raising
from tests.support.factories import ShipmentFactory, WarehouseFactory

pytestmark = pytest.mark.django_db(transaction=True)

TOMORROW = india.today() + dt.timedelta(days=1)


@pytest.fixture
def by_warehouse(able: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The toy courier, which is asked for the pickups of a warehouse."""
    monkeypatch.setattr(able, "pickup_scope", PickupScope.WAREHOUSE)
    return able


@pytest.fixture
def warehouse(account: Any) -> Warehouse:
    found: Warehouse = account.company.warehouses.get()
    return found


def test_a_pickup_is_asked_with_its_day_slot_and_count(
    account: Any, warehouse: Warehouse, by_warehouse: Any
) -> None:
    warehouse.registrations.create(account=account, reference="WH-7", state="synced")
    done = ActionResult(handle="P-1", remark="ring 98450 12345")
    by_warehouse.on_call["schedule_pickup"] = lambda _: done
    pickup, is_new = request_pickup(account, warehouse, TOMORROW, slot="10-13", count=12)
    request = by_warehouse.asked[0][1]
    assert (request.pickup.reference, request.date, request.slot, request.count) == (
        "WH-7", TOMORROW, "10-13", 12,
    )  # fmt: skip
    assert (is_new, pickup.state, pickup.handle) == (True, "done", "P-1")
    assert "98450" not in WarehousePickup.objects.get().words
    assert CourierCall.objects.get().operation == "schedule_pickup"


@pytest.mark.parametrize("state", [ActionState.DONE, ActionState.ACCEPTED])
def test_a_day_has_one_pickup(
    account: Any, warehouse: Warehouse, by_warehouse: Any, state: ActionState
) -> None:
    by_warehouse.on_call["schedule_pickup"] = lambda _: ActionResult(state)
    first, _ = request_pickup(account, warehouse, TOMORROW, count=1)
    second, is_new = request_pickup(account, warehouse, TOMORROW, count=9)
    assert (second.pk, second.state, is_new, len(by_warehouse.asked)) == (
        first.pk, state.value, False, 1,
    )  # fmt: skip
    request_pickup(account, warehouse, TOMORROW + dt.timedelta(days=1), count=1)
    other = WarehouseFactory(company=account.company, is_default=False)
    assert request_pickup(account, other, TOMORROW, count=1)[1]


@pytest.mark.parametrize(
    ("error", "state"),
    [(Rejected("no"), "refused"), (Unknown("lost"), "unknown")],
)
def test_a_pickup_that_failed_may_be_asked_for_again(
    account: Any, warehouse: Warehouse, by_warehouse: Any, error: Exception, state: str
) -> None:
    by_warehouse.on_call["schedule_pickup"] = raising(error)
    with pytest.raises(type(error)):
        request_pickup(account, warehouse, TOMORROW, count=1)
    assert WarehousePickup.objects.get().state == state
    by_warehouse.on_call.clear()
    assert request_pickup(account, warehouse, TOMORROW, count=1)[0].state == "done"


def test_a_wrong_slot_is_refused_also_where_the_day_has_a_pickup(
    account: Any, warehouse: Warehouse, by_warehouse: Any
) -> None:
    request_pickup(account, warehouse, TOMORROW, count=1)
    with pytest.raises(InvalidRequest, match="slot"):
        request_pickup(account, warehouse, TOMORROW, count=1, slot="9")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"day": india.today()}, "date"),
        ({"day": india.today() + dt.timedelta(days=31)}, "date"),
        ({"slot": "9"}, "slot"),
    ],
)
def test_a_day_or_a_slot_that_the_courier_does_not_have_is_refused(
    account: Any, warehouse: Warehouse, by_warehouse: Any, given: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        request_pickup(account, warehouse, **{"day": TOMORROW, "count": 1, **given})
    assert [problem.field for problem in refusal.value.problems] == [field]
    assert (WarehousePickup.objects.count(), by_warehouse.asked) == (0, [])


def test_a_warehouse_that_the_courier_does_not_know_is_refused(
    account: Any, warehouse: Warehouse, by_warehouse: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(by_warehouse, "registers_warehouses", True)
    with pytest.raises(InvalidRequest, match="warehouse: Toy does not know it yet"):
        request_pickup(account, warehouse, TOMORROW, count=1)


def test_each_courier_is_asked_in_its_own_way(
    account: Any, warehouse: Warehouse, able: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipment = ShipmentFactory(account=account, warehouse=warehouse)
    with pytest.raises(NotSupported, match="no pickup of a warehouse"):
        request_pickup(account, warehouse, TOMORROW, count=1)
    monkeypatch.setattr(able, "pickup_scope", PickupScope.WAREHOUSE)
    with pytest.raises(NotSupported, match="for a shipment"):
        actions.set_dispatch_date(shipment, TOMORROW)
    assert able.asked == []


def test_a_process_that_dies_leaves_a_pickup_that_becomes_unknown(
    account: Any, warehouse: Warehouse, by_warehouse: Any
) -> None:
    by_warehouse.on_call["schedule_pickup"] = raising(SystemExit(), times=1)
    with pytest.raises(SystemExit):
        request_pickup(account, warehouse, TOMORROW, count=1)
    assert request_pickup(account, warehouse, TOMORROW, count=1)[0].state == "requested"
    assert expire_pickups() == 0
    WarehousePickup.objects.update(lease_expires_at=timezone.now())
    assert expire_pickups() == 1
    assert request_pickup(account, warehouse, TOMORROW, count=1)[0].state == "done"
    assert list(WarehousePickup.objects.values_list("state", flat=True)) == ["done", "unknown"]


def test_a_late_answer_does_not_make_a_second_pickup_of_the_day(
    account: Any, warehouse: Warehouse, by_warehouse: Any
) -> None:
    def late(_: Any) -> None:
        by_warehouse.on_call.clear()
        WarehousePickup.objects.update(lease_expires_at=timezone.now())
        expire_pickups()
        request_pickup(account, warehouse, TOMORROW, count=1)

    by_warehouse.on_call["schedule_pickup"] = late
    assert request_pickup(account, warehouse, TOMORROW, count=1)[0].state == "unknown"
    assert WarehousePickup.objects.filter(state="done").count() == 1


def test_old_pickups_are_deleted(account: Any, warehouse: Warehouse, by_warehouse: Any) -> None:
    request_pickup(account, warehouse, TOMORROW, count=1)
    assert purge().counts["warehouse_pickups"] == 0
    WarehousePickup.objects.update(asked_at=timezone.now() - dt.timedelta(days=91))
    assert purge().counts["warehouse_pickups"] == 1
