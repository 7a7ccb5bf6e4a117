"""The couriers that did best on a lane, by the figures of the last months."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError
from django.utils import timezone

from couriers.models import Company, CourierPerformance
from couriers.rates.performance import BEST_MONTHS, MIN_ENDED, best_couriers, last_months
from tests.support.factories import CompanyFactory, CourierRowFactory
from tests.support.plans import whole_reads

pytestmark = pytest.mark.django_db
LANE = ("560001", "411004")
DAY = 86_400
COURIERS = ("ekart", "other", "third")


@pytest.fixture
def company() -> Company:
    for code in COURIERS:
        CourierRowFactory(code=code, name=code.title())
    found: Company = CompanyFactory()
    return found


def figure(
    company: Company, courier: str, *, lane: tuple[str, str] = ("", ""), month: int = 0,
    **counts: int,
) -> CourierPerformance:  # fmt: skip
    """Store a figure of `month` months ago. What is not given follows from `delivered`."""
    counts.setdefault("ended", sum(counts.get(name, 0) for name in ("delivered", "rto", "lost")))
    counts.setdefault("delivery_seconds", 3 * DAY * counts.get("delivered", 0))
    return CourierPerformance.objects.create(
        company=company, courier_id=courier, month=last_months(month + 1)[-1],
        pickup_region=lane[0], drop_region=lane[1], counted_at=timezone.now(), **counts,
    )  # fmt: skip


def best(company: Company, couriers: tuple[str, ...] = COURIERS, lane: Any = LANE) -> list[str]:
    return best_couriers(company, *lane, couriers)


def test_the_larger_share_of_deliveries_is_better(company: Company) -> None:
    figure(company, "ekart", lane=("56", "41"), delivered=80, rto=20)
    figure(company, "other", lane=("56", "41"), delivered=90, rto=5, lost=5)
    assert best(company) == ["other", "ekart"]


def test_of_equal_shares_the_faster_is_better_and_then_the_one_with_more_first_attempts(
    company: Company,
) -> None:
    lane = ("56", "41")
    figure(company, "ekart", lane=lane, delivered=100, first_attempt=70)
    figure(company, "other", lane=lane, delivered=100, first_attempt=80)
    figure(company, "third", lane=lane, delivered=100, delivery_seconds=2 * DAY * 100)
    assert best(company) == ["third", "other", "ekart"]


def test_a_courier_with_too_few_ended_shipments_on_the_lane_is_left_out(company: Company) -> None:
    lane = ("56", "41")
    figure(company, "ekart", lane=lane, delivered=MIN_ENDED)
    figure(company, "other", lane=lane, delivered=MIN_ENDED, rto=9)
    figure(company, "third", lane=lane, delivered=MIN_ENDED - 1)
    assert best(company) == ["ekart", "other"]


def test_where_only_one_courier_is_known_on_the_lane_all_lanes_are_compared(
    company: Company,
) -> None:
    figure(company, "ekart", lane=("56", "41"), delivered=90, rto=10)
    figure(company, "ekart", delivered=90, rto=10)
    figure(company, "other", delivered=99, rto=1)
    assert best(company) == ["other", "ekart"]
    # One alone needs no comparison.
    assert best(company, ("ekart",)) == ["ekart"]


def test_without_figures_nobody_is_best(company: Company) -> None:
    figure(company, "ekart", delivered=MIN_ENDED - 1)
    assert best(company) == []
    assert best(company, ()) == []


def test_other_companies_other_lanes_and_former_months_do_not_count(company: Company) -> None:
    lane = ("56", "41")
    for courier in ("ekart", "other"):
        figure(company, courier, lane=lane, delivered=50, rto=5 if courier == "other" else 0)
    figure(company, "ekart", lane=("56", "11"), rto=500)
    figure(company, "ekart", lane=lane, month=BEST_MONTHS, rto=500)
    figure(CompanyFactory(), "ekart", lane=lane, rto=500)
    assert best(company) == ["ekart", "other"]
    figure(company, "ekart", lane=lane, month=BEST_MONTHS - 1, rto=50)
    assert best(company) == ["other", "ekart"]


def test_couriers_that_are_not_asked_about_are_not_named(company: Company) -> None:
    for courier in COURIERS:
        figure(company, courier, delivered=50)
    assert best(company, ("third", "ekart")) == ["ekart", "third"]


def test_the_figures_are_read_in_one_statement_by_an_index(
    company: Company, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1) as asked:
        best(company)
    assert whole_reads(asked.captured_queries[0]["sql"]) == []


def test_months_are_those_of_the_calendar(time_machine: Any) -> None:
    time_machine.move_to(dt.datetime(2026, 1, 31, 20, tzinfo=dt.UTC))  # 1 February in India
    assert last_months(3) == [dt.date(2026, 2, 1), dt.date(2026, 1, 1), dt.date(2025, 12, 1)]


@pytest.mark.parametrize("wrong", [{"lane": ("56", "")}, {"ended": 3, "delivered": 2}])
def test_half_a_lane_and_counts_that_do_not_add_up_are_not_stored(
    company: Company, wrong: dict[str, Any]
) -> None:
    with pytest.raises(IntegrityError):
        figure(company, "ekart", **wrong)
