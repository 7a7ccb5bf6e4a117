"""What rules would have chosen for the orders of the last days, without asking any courier."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from couriers.contract.request_checks import OrderLimits
from couriers.contract.statuses import Status
from couriers.models import Company, CourierAccount, CourierRule, ServiceablePincode
from couriers.models.ids import first_shipment_id
from couriers.operations import rule_simulation
from couriers.operations.rule_simulation import RuleOutcome, simulate_rules
from tests.support.choices import booking_courier, rule
from tests.support.drafts import raising
from tests.support.factories import CompanyFactory, ShipmentFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def accounts(company: Company) -> Iterator[dict[str, CourierAccount]]:
    """Accounts with three couriers, which must not be asked for a quote."""
    never = raising(AssertionError("a simulation asks nobody"))
    light = OrderLimits(max_weight_g=1000)
    with ExitStack() as stack:
        yield {
            code: stack.enter_context(booking_courier(company, code, never, **more))
            for code, more in (("one", {}), ("two", {}), ("light", {"order_limits": light}))
        }


def order(account: CourierAccount, paid: str = "", days: int = 0, **fields: Any) -> None:
    now = timezone.now()
    if days:
        fields |= {"status": Status.DELIVERED, "status_at": now + dt.timedelta(days=days)}
    if paid:
        fields["price_booked"] = {"total": paid}
    ShipmentFactory(account=account, booked_at=now, **fields)


def outcome(company: Company, name: str = "") -> RuleOutcome:
    (found,) = [one for one in simulate_rules(company).outcomes if one.name == name]
    return found


def test_each_order_counts_for_the_rule_that_holds_for_it(
    company: Company, accounts: dict[str, CourierAccount]
) -> None:
    for weight in (100, 200, 1500):
        order(accounts["one"], weight_g=weight)
    order(accounts["two"], weight_g=100, total_amount=Decimal("112.00"))
    rule(company, "light", "two", name="Light first", conditions={"max_weight_g": 150})
    rule(company, "light", name="Light only", conditions={"min_weight_g": 1000})
    CourierRule.objects.filter(name="Light only").update(position=5)
    found = {one.name: one for one in simulate_rules(company).outcomes}
    assert list(found) == ["Light first", "Light only", ""]
    assert (found["Light first"].orders, dict(found["Light first"].by_courier)) == (2, {"light": 2})
    assert (found["Light only"].orders, found["Light only"].nobody) == (1, 1)
    assert found[""].orders == 1


def test_the_cost_is_estimated_from_what_parcels_of_the_kind_cost(
    company: Company, accounts: dict[str, CourierAccount]
) -> None:
    order(accounts["one"], "80.00", weight_g=400)
    order(accounts["one"], "100.00", weight_g=400)
    order(accounts["two"], "60.00", weight_g=300)
    order(accounts["two"], "70.00", weight_g=2000)
    rule(company, "one", "two", strategy="cheapest", name="Cheap")
    found = outcome(company, "Cheap")
    # The cheaper one for all: 60 for a light parcel, 70 for the heavy one.
    assert dict(found.by_courier) == {"two": 4}
    assert (found.cost, found.paid, found.same) == (Decimal("250.00"), Decimal("310.00"), 2)


def test_the_fastest_is_the_one_whose_parcels_took_fewest_days(
    company: Company, accounts: dict[str, CourierAccount]
) -> None:
    order(accounts["one"], days=5)
    order(accounts["two"], days=2)
    rule(company, "one", "two", strategy="fastest", name="Fast")
    found = outcome(company, "Fast")
    assert (dict(found.by_courier), found.unknown) == ({"two": 2}, 2)


def test_a_courier_that_does_not_serve_the_pincode_by_its_list_is_not_chosen(
    company: Company, accounts: dict[str, CourierAccount]
) -> None:
    order(accounts["one"])
    ServiceablePincode.objects.create(
        courier_id="one", pincode="411004", serviceable=False, loaded_at=timezone.now()
    )
    rule(company, "one", "two", name="One")
    assert dict(outcome(company, "One").by_courier) == {"two": 1}


def test_only_the_newest_orders_of_the_company_and_the_days_are_looked_at(
    company: Company, accounts: dict[str, CourierAccount], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rule_simulation, "MAX_ORDERS", 2)
    old = first_shipment_id(timezone.now() - dt.timedelta(days=40)) + "0"
    order(accounts["one"], id=old)
    with booking_courier(CompanyFactory(), "foreign") as foreign:
        order(foreign)
    order(accounts["one"])
    order(accounts["one"])
    assert (simulate_rules(company).orders, simulate_rules(company).is_cut) == (2, False)
    order(accounts["one"])
    assert (simulate_rules(company).orders, simulate_rules(company).is_cut) == (2, True)


def test_the_statements_do_not_depend_on_the_number_of_orders(
    company: Company, accounts: dict[str, CourierAccount]
) -> None:
    rule(company, "one", "two", strategy="best")
    counts = []
    for _ in range(2):
        for _ in range(3):
            order(accounts["one"])
        with CaptureQueriesContext(connection) as captured:
            simulate_rules(company)
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 6


def test_the_api_answers_the_simulation(
    company: Company, storefront: Client, accounts: dict[str, CourierAccount]
) -> None:
    order(accounts["one"], "80.00")
    made = rule(company, "one", name="One")
    answer = storefront.get("/api/v1/courier-rules/simulation/").json()
    assert answer["orders"] == 1
    assert answer["outcomes"][0] == {
        "rule": made.pk, "name": "One", "strategy": "priority", "orders": 1,
        "couriers": {"one": 1}, "same": 1, "nobody": 0, "cost": "80.00", "paid": "80.00",
        "unknown": 0,
    }  # fmt: skip
