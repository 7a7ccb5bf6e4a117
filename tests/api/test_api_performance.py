"""The performance of couriers over the API: filters, averages, pages, CSV, and whose it is."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from couriers.models import Company, CourierPerformance
from couriers.rates.performance import last_months
from tests.support.factories import CompanyFactory, CourierRowFactory, make_api_key
from tests.support.plans import whole_reads

URL = "/api/v1/couriers/performance/"
NOW = dt.datetime(2026, 11, 30, 6, tzinfo=dt.UTC)
COUNTS = {
    "booked": 12, "ended": 9, "delivered": 6, "rto": 2, "lost": 1, "delivery_seconds": 6 * 216_000,
    "attempts": 12, "first_attempt": 4,
}  # fmt: skip


@pytest.fixture(autouse=True)
def november(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


def figure(company: Company, courier: str, months_ago: int, lane: str = "", **counts: Any) -> None:
    CourierRowFactory(code=courier, name=courier.title())
    CourierPerformance.objects.create(
        company=company, courier_id=courier, month=last_months(months_ago + 1)[-1],
        pickup_region=lane[:2], drop_region=lane[2:], counted_at=timezone.now(), **counts,
    )  # fmt: skip


@pytest.fixture
def company(account: Any) -> Company:
    """A company with figures of two couriers in three months, and of lanes in the last one."""
    found: Company = account.company
    for months_ago in (0, 1, 7):
        figure(found, "ekart", months_ago, **COUNTS)
        figure(found, "other", months_ago, booked=3)
    for lane in ("5641", "5611", "1141"):
        figure(found, "ekart", 0, lane, booked=4)
    return found


def rows(client: Client, query: str = "") -> list[dict[str, Any]]:
    answer = client.get(f"{URL}?{query}" if query else URL)
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def lanes(client: Client, query: str) -> list[str]:
    return [f"{row['pickup_region']}{row['drop_region']}" for row in rows(client, query)]


def test_by_default_the_last_six_months_on_all_lanes_the_oldest_first(
    storefront: Client, company: Company
) -> None:
    assert [(row["month"], row["courier"]) for row in rows(storefront)] == [
        ("2026-10", "ekart"), ("2026-10", "other"), ("2026-11", "ekart"), ("2026-11", "other"),
    ]  # fmt: skip


def test_a_row_has_counts_shares_and_averages(storefront: Client, company: Company) -> None:
    assert rows(storefront, "courier=ekart&month_from=2026-11") == [
        {
            "month": "2026-11", "courier": "ekart", "pickup_region": None, "drop_region": None,
            "booked": 12, "ended": 9, "delivered": 6, "rto": 2, "lost": 1,
            "delivered_percent": 66.7, "rto_percent": 22.2, "first_attempt_percent": 66.7,
            "average_days": 2.5, "average_attempts": 1.5, "counted_at": "2026-11-30T06:00:00.000Z",
        }
    ]  # fmt: skip


def test_without_an_end_there_are_no_averages(storefront: Client, company: Company) -> None:
    (row,) = rows(storefront, "courier=other&month_from=2026-11")
    averages = {name: value for name, value in row.items() if name.endswith("percent")}
    assert set(averages.values()) == {None}
    assert (row["average_days"], row["average_attempts"]) == (None, None)


def test_lanes_are_those_of_the_pincodes(storefront: Client, company: Company) -> None:
    assert lanes(storefront, "lanes=true") == ["1141", "5611", "5641"]
    assert lanes(storefront, "pickup_pincode=560 038") == ["5611", "5641"]
    assert lanes(storefront, "drop_pincode=411004&lanes=true") == ["1141", "5641"]
    assert lanes(storefront, "drop_pincode=411004&pickup_pincode=560001") == ["5641"]


def test_months_of_long_ago_are_there_where_they_are_asked_for(
    storefront: Client, company: Company
) -> None:
    found = rows(storefront, "month_from=2026-04&month_to=2026-04")
    assert [row["courier"] for row in found] == ["ekart", "other"]
    assert rows(storefront, "month_to=2026-03") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("month_from=2026-13", "month_from"),
        ("month_to=2026-11-01", "month_to"),
        ("month_to=٢٠٢٦-11", "month_to"),
        ("month_from=2026-12", "month_from"),
        ("month_from=2022-01", "month_from"),
        ("courier=nobody", "courier"),
        ("lanes=yes", "lanes"),
        ("lanes=false&pickup_pincode=560001", "lanes"),
        ("pickup_pincode=56", "pickup_pincode"),
        ("drop_pincode=56x001", "drop_pincode"),
        ("cursor=2026-13.ekart..", "cursor"),
        ("cursor=2026-11.ekart.56.", "cursor"),
        ("cursor=99", "cursor"),
        ("page_size=0", "page_size"),
        ("by=lane", "by"),
    ],
)
def test_what_is_not_understood_is_refused_and_named(
    storefront: Client, company: Company, query: str, field: str
) -> None:
    answer = storefront.get(f"{URL}?{query}")
    assert answer.status_code == 400, answer.content
    assert [problem["field"] for problem in answer.json()["errors"]] == [field]


def test_pages_have_every_row_once(storefront: Client, company: Company) -> None:
    for query in ("month_from=2026-04", "lanes=true"):
        whole, found, following = rows(storefront, query), [], f"{URL}?{query}&page_size=1"
        while following:
            answer = storefront.get(following).json()
            found += answer["results"]
            following = answer["next"]
        assert found == whole


def test_a_page_as_csv(storefront: Client, company: Company) -> None:
    answer = storefront.get(f"{URL}?page_size=3", headers={"Accept": "text/csv"})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    found = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [row["courier"] for row in found] == ["ekart", "other", "ekart"]
    assert found[0]["pickup_region"] == found[1]["average_days"] == ""
    assert (found[0]["rto_percent"], found[0]["counted_at"]) == ("22.2", "2026-11-30T06:00:00.000Z")
    following = answer["Link"].partition(">")[0].removeprefix("<")
    last = storefront.get(following, headers={"Accept": "text/csv"})
    assert len(last.content.splitlines()) == 2
    assert "Link" not in last


def test_another_company_and_a_test_key_see_nothing(company: Company) -> None:
    for key in (make_api_key(CompanyFactory()), make_api_key(company, is_test=True)):
        client = Client(headers={"Authorization": f"Api-Key {key}"})
        assert rows(client, "month_from=2026-04") == rows(client, "lanes=true") == []


@pytest.mark.parametrize("query", ["", "lanes=true&courier=ekart", "cursor=2026-10.ekart.."])
def test_a_page_is_read_by_an_index(storefront: Client, company: Company, query: str) -> None:
    with CaptureQueriesContext(connection) as captured:
        rows(storefront, query)
    asked = [one["sql"] for one in captured if "courierperformance" in one["sql"]]
    assert len(asked) == 1
    assert whole_reads(asked[0]) == []
