"""The list of shipments: its filters, orders and pages, its total, and as CSV."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from couriers.api import sorting
from couriers.contract.statuses import Status
from couriers.models import FlagKind, Shipment
from couriers.models.flag import raise_flag
from tests.support.api import SHIPMENTS, set_status
from tests.support.factories import CompanyFactory, ShipmentFactory, make_api_key
from tests.support.plans import whole_reads

NOON = dt.datetime(2026, 11, 28, 12, tzinfo=dt.UTC)


@pytest.fixture
def shipments(account: Any) -> list[Shipment]:
    """Six shipments of the company in the order of their creation."""
    warehouse = account.company.warehouses.get()
    found = [
        ShipmentFactory(
            account=account, warehouse=warehouse, order_number=f"A-{n}", waybill=f"W-{n}",
            metadata={"cart": f"c-{n}", "channel": "web" if n % 2 else "shop"} if n else {},
        )
        for n in range(6)
    ]  # fmt: skip
    for number, shipment in enumerate(found):
        # Changed in another order than created, two of them at the same time.
        at = NOON + dt.timedelta(minutes=(0, 40, 20, 20, 10, 30)[number])
        Shipment.objects.filter(pk=shipment.pk).update(updated_at=at)
    return sorted(found, key=lambda one: one.pk)


def numbers(client: Client, query: str) -> list[str]:
    answer = client.get(f"{SHIPMENTS}?{query}")
    assert answer.status_code == 200, answer.content
    return [row["order_number"] for row in answer.json()["results"]]


def refused(client: Client, query: str) -> list[str]:
    answer = client.get(f"{SHIPMENTS}?{query}")
    assert answer.status_code == 400, answer.content
    return [problem["field"] for problem in answer.json()["errors"]]


def test_several_numbers_and_waybills_match_any_of_them(
    storefront: Client, shipments: list[Shipment]
) -> None:
    assert set(numbers(storefront, "order_number=A-1&order_number=A-4&order_number=x")) == {
        "A-1", "A-4",
    }  # fmt: skip
    assert numbers(storefront, "waybill=W-3") == ["A-3"]
    assert set(numbers(storefront, "waybill=W-3&waybill=W-2")) == {"A-2", "A-3"}
    assert numbers(storefront, "waybill=W-3&order_number=A-2") == []
    assert numbers(storefront, f"tracking_id={shipments[2].tracking_id}") == [
        shipments[2].order_number
    ]


def test_bounds_of_repeated_parameters(storefront: Client, shipments: list[Shipment]) -> None:
    hundred = "&".join(f"order_number=A-{n}" for n in range(100))
    assert len(numbers(storefront, hundred)) == 6
    assert refused(storefront, f"{hundred}&order_number=x") == ["order_number"]
    assert refused(storefront, "waybill=" + "x" * 101) == ["waybill"]
    assert refused(storefront, "waybill=") == ["waybill"]


def test_times_of_change(storefront: Client, shipments: list[Shipment]) -> None:
    after = "updated_after=2026-11-28T12:20:00Z"
    assert set(numbers(storefront, after)) == {"A-1", "A-2", "A-3", "A-5"}
    between = f"{after}&updated_before=2026-11-28T12:30:00Z"
    assert set(numbers(storefront, between)) == {"A-2", "A-3"}


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("-created_at", [5, 4, 3, 2, 1, 0]),
        ("created_at", [0, 1, 2, 3, 4, 5]),
        ("updated_at", [0, 4, 2, 3, 5, 1]),
        ("-updated_at", [1, 5, 3, 2, 4, 0]),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 4])
def test_pages_in_every_order_have_each_shipment_once(
    storefront: Client, shipments: list[Shipment], sort: str, expected: list[int], size: int
) -> None:
    # Ids of one millisecond are in no order, so the shipments stand here in the order of their ids.
    place = {one.pk: n for n, one in enumerate(shipments)}
    url, found = f"{SHIPMENTS}?sort={sort}&page_size={size}", []
    for _ in range(7):
        answer = storefront.get(url).json()
        found += [row["id"] for row in answer["results"]]
        if answer["next"] is None:
            break
        url = answer["next"]
    rows = Shipment.objects.in_bulk(found)
    if "updated" in sort:
        ascending = sorted(found, key=lambda pk: (rows[pk].updated_at, pk))
        assert found == (ascending[::-1] if sort.startswith("-") else ascending)
    else:
        assert [place[pk] for pk in found] == expected
    assert len(set(found)) == len(found) == 6


@pytest.mark.parametrize(
    "query",
    [
        "sort=price", "sort=", "total=yes", "needs_action=yes", "metadata=x", "metadata[=x",
        "sort=updated_at&cursor=shp_01", "sort=updated_at&cursor=1.acc_01",
        "sort=updated_at&cursor=999999999999999999.shp_01", "sort=created_at&cursor=1.shp_01",
        "cursor=1.shp_01", "sort=created_at&sort=updated_at",
    ],
)  # fmt: skip
def test_what_is_not_understood_is_named(storefront: Client, account: Any, query: str) -> None:
    name = query.rpartition("&")[2].partition("=")[0]
    assert refused(storefront, query) == [name]


def test_metadata_finds_shipments(storefront: Client, shipments: list[Shipment]) -> None:
    assert numbers(storefront, "metadata[cart]=c-3") == ["A-3"]
    assert set(numbers(storefront, "metadata[channel]=web")) == {"A-1", "A-3", "A-5"}
    assert numbers(storefront, "metadata[channel]=web&metadata[cart]=c-2") == []
    assert numbers(storefront, "metadata[channel]=we") == []
    assert numbers(storefront, "metadata[%27%22%25s]=x") == []
    assert refused(storefront, "metadata[cart]=") == ["metadata[cart]"]
    assert refused(storefront, "metadata[cart]=a&metadata[cart]=b") == ["metadata[cart]"]
    assert refused(storefront, f"metadata[{'k' * 41}]=x") == ["metadata." + "k" * 41]
    assert refused(storefront, "metadata[a[b]=x") == ["metadata.a[b"]
    assert refused(storefront, f"metadata[cart]={'x' * 501}") == ["metadata.cart"]
    many = "&".join(f"metadata[k{n}]=x" for n in range(51))
    assert refused(storefront, many) == ["metadata"]


def test_what_needs_somebody(storefront: Client, shipments: list[Shipment]) -> None:
    by_number = {one.order_number: one for one in shipments}
    set_status(by_number["A-0"], Status.UNDELIVERED)
    set_status(by_number["A-1"], Status.IN_DOUBT, tracking_id="")
    set_status(by_number["A-2"], Status.NOT_PICKED)
    raise_flag(by_number["A-3"], FlagKind.SECOND_SHIPMENT, tracking_id="T-9")
    raise_flag(by_number["A-4"], FlagKind.SECOND_SHIPMENT, tracking_id="T-8")
    by_number["A-4"].flags.update(cleared_at=timezone.now(), clear_reason="one parcel")
    assert set(numbers(storefront, "needs_action=true")) == {"A-0", "A-1", "A-2", "A-3"}
    assert set(numbers(storefront, "needs_action=false")) == {"A-4", "A-5"}
    assert numbers(storefront, "needs_action=true&status=undelivered") == ["A-0"]


def test_the_total_is_exact_up_to_a_bound(
    storefront: Client, shipments: list[Shipment], monkeypatch: pytest.MonkeyPatch
) -> None:
    def total(query: str) -> Any:
        return storefront.get(f"{SHIPMENTS}?page_size=1&{query}").json()["total"]

    assert total("sort=created_at") is None
    assert total("total=false") is None
    assert total("total=true") == {"count": 6, "exact": True}
    assert total("total=true&metadata[channel]=web") == {"count": 3, "exact": True}
    monkeypatch.setattr(sorting, "EXACT_TOTAL", 6)
    assert total("total=true") == {"count": 6, "exact": True}
    monkeypatch.setattr(sorting, "EXACT_TOTAL", 5)
    assert total("total=true") == {"count": 5, "exact": False}


def test_no_filter_shows_rows_of_another_company(
    storefront: Client, shipments: list[Shipment]
) -> None:
    other = Client(headers={"Authorization": f"Api-Key {make_api_key(CompanyFactory())}"})
    raise_flag(shipments[0], FlagKind.SECOND_SHIPMENT, tracking_id="T-9")
    for query in (
        "order_number=A-1", "waybill=W-1", "metadata[channel]=web", "needs_action=true",
        "needs_action=false", "sort=updated_at", "updated_after=2020-01-01", "page_size=2",
    ):  # fmt: skip
        answer = other.get(f"{SHIPMENTS}?total=true&{query}").json()
        assert answer == {"results": [], "next": None, "total": {"count": 0, "exact": True}}


@pytest.mark.parametrize(
    "query",
    [
        "", "sort=created_at", "sort=updated_at", "sort=-updated_at", "updated_after=2026-01-01",
        "updated_before=2026-01-01&sort=updated_at", "waybill=W-1&waybill=W-2",
        "order_number=A-1&order_number=A-2", "metadata[cart]=c-1", "needs_action=true",
        "needs_action=false", "total=true",
        "sort=updated_at&cursor=1764331200000000.shp_01",
    ],
)  # fmt: skip
def test_no_list_reads_a_whole_table(
    storefront: Client, shipments: list[Shipment], query: str
) -> None:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert storefront.get(f"{SHIPMENTS}?{query}").status_code == 200
    statements = [one["sql"] for one in captured if "couriers_shipment" in one["sql"]]
    assert len(statements) == (2 if "total" in query else 1)
    for sql in statements:
        assert whole_reads(sql) == []


def test_a_page_as_csv(storefront: Client, shipments: list[Shipment]) -> None:
    Shipment.objects.filter(pk=shipments[-1].pk).update(
        consignee_name="=HYPERLINK(1)", consignee_city='Navi "M", x', order_number="+91"
    )
    answer = storefront.get(f"{SHIPMENTS}?page_size=2", headers={"Accept": "text/csv"})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [row["id"] for row in rows] == [shipments[-1].pk, shipments[-2].pk]
    first = rows[0]
    assert (first["consignee_name"], first["order_number"]) == ("'=HYPERLINK(1)", "'+91")
    assert (first["consignee_city"], first["consignee_phone"]) == ('Navi "M", x', "9876543210")
    assert first["delivered_at"] == ""
    following = answer["Link"].partition(">")[0].removeprefix("<")
    more = storefront.get(following, headers={"Accept": "text/csv"})
    assert shipments[-3].pk in more.content.decode()
    last = storefront.get(SHIPMENTS, headers={"Accept": "text/csv"})
    assert "Link" not in last
    assert len(last.content.splitlines()) == 7


def test_problems_of_csv_are_problems(storefront: Client, account: Any) -> None:
    answer = storefront.get(f"{SHIPMENTS}?sort=x", headers={"Accept": "text/csv"})
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")


def test_only_the_list_is_csv(storefront: Client, shipment: Any) -> None:
    answer = storefront.get(f"{SHIPMENTS}{shipment.pk}/", headers={"Accept": "text/csv"})
    assert answer.status_code == 406


def test_a_filter_is_read_from_its_name_alone(
    storefront: Client, shipments: list[Shipment]
) -> None:
    assert numbers(storefront, quote("metadata[cart]") + "=c-3") == ["A-3"]


def test_a_list_decrypts_no_consignee_unless_it_is_asked_to(
    storefront: Client, shipments: list[Shipment]
) -> None:
    def page(query: str) -> tuple[list[Any], str]:
        with CaptureQueriesContext(connection) as captured:
            answer = storefront.get(f"{SHIPMENTS}?{query}")
        sql = next(one["sql"] for one in captured if "couriers_shipment" in one["sql"])
        return [row["consignee"] for row in answer.json()["results"]], sql

    rows, sql = page("page_size=2")
    assert rows == [None, None]
    assert "consignee_phone" not in sql
    rows, _ = page("page_size=2&expand=consignee")
    assert [row["phone"] for row in rows] == ["9876543210"] * 2
    assert refused(storefront, "expand=scans") == ["expand"]
