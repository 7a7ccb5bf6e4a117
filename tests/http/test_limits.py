"""The limits of a client's calls: what a call costs, and who shares them."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from couriers.contract.errors import RateLimited, TooManyRequests
from couriers.contract.types import Limit, LimitScope
from tests.support.round_trips import count_round_trips
from tests.support.small_courier import Reply, SmallClient, SmallCourier, account_at

pytestmark = pytest.mark.django_db


@pytest.fixture
def courier() -> Iterator[SmallCourier]:
    with SmallCourier() as running:
        yield running


def test_an_accounts_calls_leave_the_limits_of_others_alone(courier: SmallCourier) -> None:
    own = {"track": {"count": 1, "window": 60}}
    first = courier.client(limits=own)
    first.ask()
    with pytest.raises(RateLimited):
        first.ask()
    courier.client(limits=own).ask()


def test_all_accounts_that_call_a_host_share_a_limit_of_the_address(courier: SmallCourier) -> None:
    courier.client().ask("by_address")
    with pytest.raises(RateLimited) as caught:
        courier.client().ask("by_address")
    assert 50 < (caught.value.retry_after or 0) <= 60
    with SmallCourier() as other:
        other.client().ask("by_address")


def test_the_host_is_the_same_however_it_is_written(courier: SmallCourier) -> None:
    port = urlsplit(courier.url).port
    SmallClient(account_at(f"http://LOCALHOST:{port}")).ask("by_address")
    with pytest.raises(RateLimited):
        SmallClient(account_at(f"http://localhost:{port}/")).ask("by_address")


def test_too_fast_holds_back_all_that_share_the_limit(courier: SmallCourier) -> None:
    courier.answer = lambda _: Reply(b"", 403)
    one, other = courier.client(), courier.client()
    for client in (one, other):
        client._limits["by_address"] = Limit(1000, 1, scope=LimitScope.ADDRESS)
    with pytest.raises(TooManyRequests):
        one.ask("by_address")
    with pytest.raises(RateLimited):
        other.ask("by_address")


def test_a_call_may_cost_more_than_one(courier: SmallCourier) -> None:
    client = courier.client()  # numbers: 50 in a minute, 25 of them at once
    client.ask("numbers", cost=25)
    with pytest.raises(RateLimited) as caught:
        client.ask("numbers", cost=25)
    assert 50 < (caught.value.retry_after or 0) <= 60
    with pytest.raises(RateLimited, match="does not fit into 50 in 60 s"):
        client.ask("numbers", cost=51)


def test_a_limit_of_any_cost_is_one_round_trip(
    courier: SmallCourier, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = courier.client()
    client.ask("by_address")
    client.ask("numbers")
    trips = count_round_trips(monkeypatch)
    client.ask("track")
    usual = len(trips)
    client.ask("numbers", cost=20)
    assert 1 <= usual == len(trips) - usual
