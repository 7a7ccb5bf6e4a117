"""HttpAdapter: what adapters of couriers that are called over HTTP have in common."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest

from couriers.contract.errors import (
    FieldProblem,
    InvalidRequest,
    NoReservedId,
    NotFound,
    NotSent,
    Rejected,
    UnknownPickupAlias,
)
from couriers.contract.reading import StatusAnswer, Text
from couriers.contract.request_checks import OrderLimits
from couriers.contract.types import Parcel, PaymentMode, RateQuote, RateRequest, Tracking
from couriers.http.adapter import BatchTrackingAdapter, HttpAdapter
from couriers.http.tunables import http_tunables
from couriers.testing.samples import SampleCalls
from tests.support.small_courier import Reply, SmallClient, SmallCourier, account_at

pytestmark = pytest.mark.django_db
LANE = RateRequest("560001", "411004", Parcel(500, 9, 9, 9), PaymentMode.PREPAID, Decimal(999))


class SmallAdapter(BatchTrackingAdapter):
    code = "small"
    name = "Small"
    client_class = SmallClient
    registers_warehouses = True
    order_limits = OrderLimits(services=("AIR", "ROAD"))
    track_size = 2

    numbers: Sequence[str] = ("2", "3", "4")
    known: Mapping[str, Tracking] = {"1": Tracking("1", ())}

    def reserve_ids(self, count: int) -> Sequence[str]:
        return self.numbers[:count]

    def booking_problems(self, request: Any) -> Sequence[FieldProblem]:
        return [FieldProblem("order_number", "is odd")] if request.order_number == "ODD" else []

    def track_batch(self, tracking_ids: list[str]) -> Mapping[str, Tracking]:
        if found := {one: self.known[one] for one in tracking_ids if one in self.known}:
            return found
        raise NotFound("none")


class Samples(SampleCalls):
    adapter_class = SmallAdapter


class Done(StatusAnswer):
    words: Text = ""


@pytest.fixture
def courier() -> Iterator[SmallCourier]:
    with SmallCourier() as running:
        yield running


@pytest.fixture
def adapter(courier: SmallCourier) -> SmallAdapter:
    return SmallAdapter(account_at(courier.url))


def request(**changes: Any) -> Any:
    sample = Samples().booking_request("A-1")
    pickup = dataclasses.replace(sample.pickup, reference="Main gate")
    return dataclasses.replace(sample, **{"pickup": pickup, **changes})


def test_an_answer_that_says_no_is_refused(courier: SmallCourier, adapter: SmallAdapter) -> None:
    courier.answer = lambda _: Reply({"status": "Success", "words": "booked"})
    assert adapter.ask_accepted(Done, "create", json={}).words == "booked"
    courier.answer = lambda _: Reply({"status": False, "remark": "no city"})
    with pytest.raises(Rejected) as caught:
        adapter.ask_accepted(Done, "create", json={})
    assert (caught.value.operation, caught.value.courier_message) == ("create", "no city")


def test_a_request_is_checked_before_anything_is_built(adapter: SmallAdapter) -> None:
    with adapter.building("create", request()):
        pass
    with (
        pytest.raises(InvalidRequest, match="is odd"),
        adapter.building("create", request(order_number="ODD")),
    ):
        raise AssertionError("nothing is built")


def test_what_fails_while_it_is_built_was_not_sent(adapter: SmallAdapter) -> None:
    wrapped = adapter.building("create", request())
    with pytest.raises(NotSent, match="could not be built") as caught, wrapped:
        raise KeyError("order")
    assert caught.value.operation == "create"


def test_a_warehouse_without_a_reference_is_registered_first(adapter: SmallAdapter) -> None:
    bare = request(pickup=Samples().booking_request("A-1").pickup)
    bare = dataclasses.replace(bare, pickup=dataclasses.replace(bare.pickup, reference=""))
    with pytest.raises(UnknownPickupAlias), adapter.building("create", bare):
        raise AssertionError("nothing is built")
    adapter.books_without_registration = True  # type: ignore[misc]
    with adapter.building("create", bare):
        pass


def test_the_boxes_of_a_shipment_have_a_number_each(adapter: SmallAdapter) -> None:
    assert adapter.numbers_for(request(reserved_id="1"), 3) == ["1", "2", "3"]
    assert adapter.numbers_for(request(reserved_id="1"), 1) == ["1"]
    assert adapter.numbers_for(request(), 2) == ["2", "3"]
    assert adapter.numbers_for(request(), 1) == []
    adapter.numbers = ("2",)
    with pytest.raises(NoReservedId):
        adapter.numbers_for(request(reserved_id="1"), 3)


def quotes(adapter: SmallAdapter, service: str) -> list[tuple[str, int | None]]:
    asked = dataclasses.replace(LANE, service=service)
    found = adapter.quote_services(
        asked,
        "rates",
        price=lambda _, one: RateQuote(one, Decimal(10), {}),
        days=lambda lane, one: (len(lane.drop_pincode), len(one)),
    )
    return [(quote.service, quote.max_days) for quote in found]


def test_each_service_is_quoted_or_the_one_that_is_asked_for(adapter: SmallAdapter) -> None:
    assert quotes(adapter, "") == [("AIR", 3), ("ROAD", 4)]
    assert quotes(adapter, "ROAD") == [("ROAD", 4)]
    with pytest.raises(InvalidRequest, match="service"):
        quotes(adapter, "SEA")


def test_one_shipment_is_tracked_as_a_batch_is(adapter: SmallAdapter) -> None:
    assert adapter.track_shipment("1") == Tracking("1", ())
    assert adapter.track_shipments(["1", "9"]) == {"1": Tracking("1", ())}
    assert adapter.track_shipments(["9"]) == {}
    with pytest.raises(NotFound) as caught:
        adapter.track_shipment("9")
    assert caught.value.courier == "small"
    with pytest.raises(InvalidRequest):
        adapter.track_shipments(["1", "2", "3"])


def test_a_create_call_lasts_as_long_as_the_slowest_that_may_be_one() -> None:
    class Plain(HttpAdapter):
        code = "small"
        name = "Small"
        client_class = SmallClient

    class Named(Plain):
        create_operations = ("create",)

    assert Plain.max_create_seconds() == http_tunables("small").longest_call(200.0)
    assert Named.max_create_seconds() == http_tunables("small").longest_call()
