"""The charts of the first page: whose figures, which days, which shares, and as of when."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from couriers.admin.drawing import Chart
from couriers.admin.today.charts import charts_for
from couriers.models import DayFigure
from couriers.operations.day_figures import last_days
from tests.support.factories import CourierAccountFactory, make_staff
from tests.support.work import hold_to

pytestmark = pytest.mark.django_db


def figures(account: Any, day: dt.date, **counts: int) -> None:
    DayFigure.objects.create(
        day=day, company=account.company, courier=account.courier, counted_at=timezone.now(),
        **counts,
    )  # fmt: skip


def values(chart: Chart) -> dict[str, list[float | None]]:
    """What the chart draws, by courier."""
    return {one["label"]: one["data"] for one in json.loads(chart.data)["datasets"]}


@pytest.fixture
def accounts() -> list[Any]:
    """Two companies with two couriers, with figures of today and the day before."""
    today, yesterday = last_days(2)
    found = [
        CourierAccountFactory(courier__code="toy", courier__name="Toy"),
        CourierAccountFactory(courier__code="bee", courier__name="Bee"),
    ]
    figures(found[0], today, booked=4, delivered=3, undelivered=1, returned=0)
    figures(found[0], yesterday, booked=2, delivered=6, undelivered=2, returned=2)
    figures(found[1], today, booked=7)
    return found


def test_each_chart_has_the_days_in_order_and_a_line_for_each_courier(accounts: Any) -> None:
    bookings, delivered, ndr, rto = charts_for(make_staff(), 7).shown
    assert values(bookings) == {"Bee": [0] * 6 + [7], "Toy": [0] * 5 + [2, 4]}
    assert values(delivered)["Toy"][-2:] == [6, 3]
    assert values(ndr) == {"Bee": [None] * 7, "Toy": [None] * 5 + [25.0, 25.0]}
    assert values(rto)["Toy"][-2:] == [25.0, 0.0]
    assert (bookings.total, delivered.total, ndr.total, rto.total) == ("13", "9", "25.0%", "18.2%")


def test_the_table_has_the_numbers_of_the_chart(accounts: Any) -> None:
    bookings, _, ndr, _ = charts_for(make_staff(), 7).shown
    assert bookings.couriers == ["Bee", "Toy"]
    assert [row for _, row in bookings.rows][-2:] == [["0", "2"], ["7", "4"]]
    assert [row for _, row in ndr.rows][-2:] == [["-", "25.0%"], ["-", "25.0%"]]


def test_a_user_held_to_a_company_is_shown_that_companys_figures(accounts: Any) -> None:
    user = make_staff()
    hold_to(user, accounts[1].company)
    bookings = charts_for(user, 1).shown[0]
    assert values(bookings) == {"Bee": [7]}
    assert bookings.total == "7"


def test_the_page_says_as_of_when_once_every_day_has_been_counted(accounts: Any) -> None:
    user, at = make_staff(), timezone.now() - dt.timedelta(minutes=9)
    for number, day in enumerate(last_days(7)):
        assert charts_for(user, 7).as_of is None
        DayFigure.objects.create(day=day, counted_at=at + dt.timedelta(minutes=number))
    assert charts_for(user, 7).as_of == at
    assert charts_for(user, 30).as_of is None


@pytest.mark.parametrize(
    ("query", "days"), [("", 7), ("?days=1", 1), ("?days=30", 30), ("?days=2", 7), ("?days=x", 7)]
)
def test_the_days_are_chosen_by_a_link(client: Client, query: str, days: int) -> None:
    client.force_login(get_user_model().objects.create_superuser("boss"))
    page = client.get(f"/admin/{query}")
    assert page.context["today"]["charts"].days == days
    assert page.content.decode().count('aria-current="true"') == 1
