"""Serviceability of couriers that answer for a lane: asked from an origin, cached by lane."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from couriers.booking.protocol import book
from couriers.contract.adapter import Capability
from couriers.models import ServiceablePincode
from tests.support.documents import GenerousAdapter, generous
from tests.support.drafts import DRAFT

pytestmark = pytest.mark.django_db
CAPABILITY = Capability.CHECK_SERVICEABILITY


@pytest.fixture
def lanes(account: Any) -> Iterator[type[GenerousAdapter]]:
    with generous(CAPABILITY, serves_lanes=True) as adapter:
        yield adapter


@pytest.fixture
def default_origin(account: Any) -> str:
    return str(account.company.warehouses.get(is_default=True).pincode)


def ask(client: Client, **query: str) -> Any:
    return client.get("/api/v1/serviceability/", {"courier": "toy", "pincode": "560008", **query})


def test_the_courier_is_asked_from_the_origin_that_the_caller_names(
    storefront: Client, lanes: Any
) -> None:
    served, unserved = ask(storefront, origin="411 001"), ask(storefront, origin="110001")
    assert [call for _, call in lanes.asked] == [("560008", "411001"), ("560008", "110001")]
    assert (served.json()["origin"], served.json()["serviceable"]) == ("411001", True)
    assert (unserved.json()["origin"], unserved.json()["serviceable"]) == ("110001", False)


def test_without_one_it_is_asked_from_the_default_warehouse(
    storefront: Client, lanes: Any, default_origin: str
) -> None:
    assert ask(storefront).json()["origin"] == default_origin
    assert lanes.asked == [("check_serviceability", ("560008", default_origin))]


def test_a_lane_is_asked_about_once_and_each_origin_by_itself(
    storefront: Client, lanes: Any
) -> None:
    for origin in ("411001", "110001", "411001", "110001"):
        ask(storefront, origin=origin)
    assert len(lanes.asked) == 2


def test_a_list_of_pincodes_says_nothing_of_a_lane(
    storefront: Client, lanes: Any, account: Any
) -> None:
    ServiceablePincode.objects.create(
        courier=account.courier, pincode="560008", serviceable=True, loaded_at=timezone.now()
    )
    assert ask(storefront, origin="110001").json()["serviceable"] is False


@pytest.mark.parametrize("origin", ["", "41100", "abc", "0" * 6, "4" * 30])
def test_a_wrong_origin_is_named(storefront: Client, lanes: Any, origin: str) -> None:
    answer = ask(storefront, origin=origin)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "origin")
    assert lanes.asked == []


def test_without_an_origin_and_a_default_warehouse_the_origin_is_missing(
    storefront: Client, lanes: Any, account: Any
) -> None:
    account.company.warehouses.update(is_default=False)
    answer = ask(storefront)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "origin")


def test_a_courier_without_lanes_answers_for_every_origin(storefront: Client, account: Any) -> None:
    with generous(CAPABILITY) as adapter:
        answer = ask(storefront, origin="110001").json()
    assert (answer["origin"], answer["serviceable"]) == (None, True)
    assert adapter.asked == [("check_serviceability", ("560008", ""))]


def test_a_booking_asks_about_an_unlisted_pincode_from_its_own_warehouse(
    lanes: Any, account: Any, default_origin: str
) -> None:
    consignee = dataclasses.replace(
        DRAFT.consignee, pincode="560999", city="Bengaluru", state="Karnataka"
    )
    book(account.company, dataclasses.replace(DRAFT, consignee=consignee))
    assert lanes.asked == [("check_serviceability", ("560999", default_origin))]
