"""Operators' page of the couriers side by side: whose figures, which rows, and readable colours."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from couriers.admin.drawing import COLOURS, MARKS, TICKS, Chart
from couriers.models import CourierPerformance
from couriers.rates.performance import last_months
from tests.support.factories import CourierAccountFactory, make_staff
from tests.support.plans import whole_reads
from tests.support.work import hold_to

pytestmark = pytest.mark.django_db
URL = "admin:shipcrowd_couriers_courierperformance_changelist"
COUNTS = {
    "booked": 10, "ended": 8, "delivered": 6, "rto": 2, "delivery_seconds": 6 * 2 * 86_400,
    "attempts": 10, "first_attempt": 3,
}  # fmt: skip
PAGES = ("#ffffff", "#f9fafb", "#18181b", "#111827", "#030712")  # light and dark


@pytest.fixture
def accounts() -> list[Any]:
    """Two companies with two couriers: figures of this month and the last, and of one lane."""
    found = [
        CourierAccountFactory(courier__code="toy", courier__name="Toy"),
        CourierAccountFactory(courier__code="bee", courier__name="Bee"),
    ]
    this, last = last_months(2)
    for account, month, lane, counts in (
        (found[0], this, "", COUNTS), (found[0], last, "", COUNTS | {"booked": 20}),
        (found[0], this, "5641", COUNTS | {"booked": 7}), (found[1], this, "", {"booked": 5}),
    ):  # fmt: skip
        CourierPerformance.objects.create(
            company=account.company, courier=account.courier, month=month, pickup_region=lane[:2],
            drop_region=lane[2:], counted_at=timezone.now(), **counts,
        )  # fmt: skip
    return found


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_staff("view_courierperformance"))
    return client


def shown(client: Client, **query: str) -> tuple[list[Any], list[Chart]]:
    answer = client.get(reverse(URL), query)
    assert answer.status_code == 200
    rows = [
        (row.courier_id, row.booked, row.pickup_region) for row in answer.context["cl"].result_list
    ]
    return rows, answer.context["charts"]


def values(chart: Chart) -> dict[str, list[float | None]]:
    return {one["label"]: one["data"] for one in json.loads(chart.data)["datasets"]}


def test_each_chart_has_a_line_for_each_courier_and_the_months_in_order(
    staff: Client, accounts: Any
) -> None:
    rows, (rto, days, first, booked) = shown(staff)
    assert sorted(rows) == [("bee", 5, ""), ("toy", 10, ""), ("toy", 20, "")]
    assert values(rto) == {"Bee": [None] * 6, "Toy": [None] * 4 + [25.0, 25.0]}
    assert values(days)["Toy"][-2:] == [2.0, 2.0]
    assert values(first)["Toy"][-2:] == [50.0, 50.0]
    assert values(booked) == {"Bee": [0] * 5 + [5], "Toy": [0] * 4 + [20, 10]}
    totals = [chart.total for chart in (rto, days, first, booked)]
    assert totals == ["25.0%", "2.0 days", "50.0%", "35"]


def test_the_rows_of_lanes_are_shown_apart(staff: Client, accounts: Any) -> None:
    rows, charts = shown(staff, rows="lanes")
    assert rows == [("toy", 7, "56")]
    assert values(charts[3]) == {"Toy": [0] * 5 + [7]}


def test_filters_hold_for_the_charts_too(staff: Client, accounts: Any) -> None:
    rows, charts = shown(staff, courier__code__exact="bee")
    assert rows == [("bee", 5, "")]
    assert values(charts[3]) == {"Bee": [0] * 5 + [5]}
    rows, charts = shown(staff, month=f"{last_months(2)[1]:%Y-%m}")
    assert rows == [("toy", 20, "")]
    assert values(charts[3]) == {"Toy": [0] * 4 + [20, 0]}


def test_a_user_held_to_a_company_is_shown_that_companys_figures(
    client: Client, accounts: Any
) -> None:
    user = make_staff("view_courierperformance")
    hold_to(user, accounts[1].company)
    client.force_login(user)
    rows, charts = shown(client)
    assert rows == [("bee", 5, "")]
    assert values(charts[3]) == {"Bee": [0] * 5 + [5]}


def test_without_the_permission_there_is_no_page(client: Client, accounts: Any) -> None:
    client.force_login(make_staff("view_shipment"))
    assert client.get(reverse(URL)).status_code == 403


@pytest.mark.parametrize("query", [{}, {"rows": "lanes"}])
def test_the_page_reads_by_an_index(staff: Client, accounts: Any, query: dict[str, str]) -> None:
    with CaptureQueriesContext(connection) as captured:
        shown(staff, **query)
    asked = [one["sql"] for one in captured if 'FROM "shipcrowd_couriers_courierperf' in one["sql"]]
    assert len(asked) == 3
    for sql in asked:
        assert whole_reads(sql) == [], sql


@pytest.mark.parametrize("colour", [*COLOURS, TICKS])
@pytest.mark.parametrize("page", PAGES)
def test_couriers_are_told_apart_from_the_page_light_and_dark(colour: str, page: str) -> None:
    darker, lighter = sorted((luminance(colour), luminance(page)))
    assert (lighter + 0.05) / (darker + 0.05) >= 3  # WCAG 1.4.11
    assert len(set(COLOURS)) == len(set(MARKS)) == len(COLOURS)


def luminance(colour: str) -> float:
    """The relative luminance of WCAG 2.2."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
