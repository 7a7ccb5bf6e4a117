"""Serviceability of all couriers side by side, one way or both, and why one is missing."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from couriers.booking import served
from couriers.contract.adapter import Capability
from couriers.contract.errors import CircuitOpen
from couriers.contract.types import Serviceability
from couriers.models import Company, CourierAccount, ServiceablePincode
from tests.support.factories import CompanyFactory, make_api_key
from tests.support.quoting import courier

URL = "/api/v1/serviceability/"
CAPABILITY = frozenset({Capability.CHECK_SERVICEABILITY})
pytestmark = pytest.mark.django_db
Asked = list[tuple[str, str, str]]


class Couriers(ExitStack):
    """Couriers that the company has an account with, and what they were asked."""

    def __init__(self, company: Company) -> None:
        super().__init__()
        self.company, self.asked = company, Asked()

    def add(self, code: str, answer: Any = None, **declared: Any) -> CourierAccount:
        """Add one that answers by a function of pincode and origin, else that it serves all."""

        def check_serviceability(adapter: Any, pincode: str, *, origin: str = "") -> Serviceability:
            self.asked.append((code, pincode, origin))
            found = answer(pincode, origin) if answer else True
            return found if isinstance(found, Serviceability) else Serviceability(pincode, found)

        members = {"capabilities": CAPABILITY, "check_serviceability": check_serviceability}
        return self.enter_context(courier(self.company, code, lambda _: [], **(members | declared)))


@pytest.fixture
def couriers(company: Company) -> Any:
    with Couriers(company) as found:
        yield found


def ask(client: Client, **query: str) -> Any:
    answer = client.get(URL, {"pincode": "411004", **query})
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_courier_of_lanes_and_one_of_pincodes_stand_side_by_side(
    storefront: Client, couriers: Couriers
) -> None:
    couriers.add("lanes", lambda _, origin: origin == "110001", serves_lanes=True)
    couriers.add("pincodes")
    listed = couriers.add("listed")
    ServiceablePincode.objects.create(
        courier=listed.courier, pincode="411004", serviceable=True, cod=False,
        loaded_at=timezone.now(),
    )  # fmt: skip
    answer = ask(storefront, origin="110001")
    assert answer["missing"] == []
    assert [(one["courier"], one["origin"], one["cod"]) for one in answer["couriers"]] == [
        ("lanes", "110001", None), ("listed", None, False), ("pincodes", None, None),
    ]  # fmt: skip
    assert all(one["serviceable"] and one["back"] is None for one in answer["couriers"])
    assert sorted(couriers.asked) == [("lanes", "411004", "110001"), ("pincodes", "411004", "")]


def test_not_served_is_an_answer_and_no_reason_to_be_missing(
    storefront: Client, couriers: Couriers
) -> None:
    couriers.add("never", lambda *_: False)
    answer = ask(storefront)
    assert [one["serviceable"] for one in answer["couriers"]] == [False]
    assert answer["missing"] == []


def test_the_way_back_is_asked_about_where_that_is_wanted(
    storefront: Client, couriers: Couriers
) -> None:
    couriers.add("lanes", lambda pincode, _: pincode == "411004", serves_lanes=True)
    couriers.add("pincodes", lambda pincode, _: Serviceability(pincode, True, reverse_drop=True))
    lanes, pincodes = ask(storefront, origin="110001", both_ways="true")["couriers"]
    assert (lanes["serviceable"], lanes["back"]["serviceable"]) == (True, False)
    assert (lanes["pincode"], lanes["back"]["pincode"]) == ("411004", "110001")
    assert pincodes["back"]["reverse_drop"] is True
    one = ask(storefront, origin="110001", both_ways="true", courier="lanes")
    assert (one["serviceable"], one["back"]["serviceable"]) == (True, False)


def test_without_an_origin_the_default_warehouse_is_asked_from(
    storefront: Client, couriers: Couriers, company: Company
) -> None:
    couriers.add("lanes", serves_lanes=True)
    origin = company.warehouses.get(is_default=True).pincode
    assert ask(storefront)["couriers"][0]["origin"] == origin
    company.warehouses.update(is_default=False)
    answer = storefront.get(URL, {"pincode": "411004"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "origin")
    couriers.close()
    couriers.add("pincodes")
    assert len(ask(storefront)["couriers"]) == 1  # it needs no origin


def test_a_courier_that_cannot_answer_is_missing_with_the_reason(
    storefront: Client, couriers: Couriers
) -> None:
    def fail(*_: str) -> bool:
        raise CircuitOpen("later", retry_after=41.2)

    couriers.add("broken", fail)
    couriers.add("mute", capabilities=frozenset())
    off = couriers.add("off")
    CourierAccount.objects.filter(pk=off.pk).update(rollout="off")
    couriers.add("well")
    answer = ask(storefront)
    assert [one["courier"] for one in answer["couriers"]] == ["well"]
    assert {one["courier"]: one["reason"] for one in answer["missing"]} == {
        "broken": "circuit_open", "mute": "not_supported", "off": "switched_off",
    }  # fmt: skip
    assert answer["missing"][0]["retry_after"] == 42
    assert {code for code, *_ in couriers.asked} == {"broken", "well"}


def test_all_are_asked_at_once_and_one_that_is_late_is_missing(
    storefront: Client, couriers: Couriers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served, "ASK_SECONDS", 1.0)

    def after(seconds: float) -> Any:
        def answer(*_: str) -> bool:
            time.sleep(seconds)
            return True

        return answer

    for code in ("one", "three", "two"):
        couriers.add(code, after(0.5), serves_lanes=True)
    couriers.add("slow", after(1.5), serves_lanes=True)
    began = time.monotonic()
    answer = ask(storefront)
    assert time.monotonic() - began < 1.4
    assert [one["courier"] for one in answer["couriers"]] == ["one", "three", "two"]
    assert [(one["courier"], one["reason"]) for one in answer["missing"]] == [("slow", "timed_out")]


def test_without_an_account_there_is_nobody_to_ask() -> None:
    key = make_api_key(CompanyFactory())
    client = Client(headers={"Authorization": f"Api-Key {key}"})
    answer = client.get(URL, {"pincode": "411004"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "courier")


@pytest.mark.parametrize(
    ("query", "field"), [({"both_ways": "yes"}, "both_ways"), ({"back": "true"}, "back")]
)
def test_what_is_not_understood_is_named(
    storefront: Client, query: dict[str, str], field: str
) -> None:
    answer = storefront.get(URL, {"pincode": "411004", **query})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
