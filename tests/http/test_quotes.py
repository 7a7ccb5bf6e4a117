"""The quotes of a courier's services, each with a price and days that are asked for at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from couriers.contract.errors import Rejected, Unknown
from couriers.contract.types import RateQuote
from couriers.http.quotes import DeliveryDays, ask_together, quote_services
from tests.support.factories import CourierAccountFactory

pytestmark = pytest.mark.django_db


def price(service: str) -> RateQuote:
    return RateQuote(service, Decimal(len(service)), {})


def refused(*services: str) -> Callable[[str], RateQuote]:
    def ask(service: str) -> RateQuote:
        if service in services:
            raise Rejected(f"no {service}")
        return price(service)

    return ask


def quotes(
    price: Callable[[str], RateQuote] = price,
    days: Callable[[str], DeliveryDays | None] = lambda _: (1, 3),
) -> list[tuple[Any, ...]]:
    found = quote_services(
        CourierAccountFactory(), ["AIR", "ROAD"], prepare=lambda: None, price=price, days=days
    )
    return [(quote.service, quote.total, quote.min_days, quote.max_days) for quote in found]


def test_every_service_has_its_price_and_days() -> None:
    assert quotes() == [("AIR", 3, 1, 3), ("ROAD", 4, 1, 3)]


def test_all_are_asked_at_once_after_the_preparation() -> None:
    together, order = threading.Barrier(4, timeout=10), []

    def days(_: str) -> DeliveryDays:
        together.wait()
        return 1, 2

    def priced(service: str) -> RateQuote:
        order.append(service)
        together.wait()
        return price(service)

    quote_services(
        CourierAccountFactory(), ["AIR", "ROAD"], prepare=lambda: order.append("prepare"),
        price=priced, days=days,
    )  # fmt: skip
    assert order[0] == "prepare"


def test_a_service_that_is_not_offered_has_no_quote() -> None:
    assert quotes(days=lambda s: None if s == "AIR" else (2, 2)) == [("ROAD", 4, 2, 2)]
    assert quotes(days=lambda _: None) == []


def test_a_failed_call_for_the_days_leaves_the_price_without_days() -> None:
    def days(_: str) -> DeliveryDays:
        raise Unknown("no answer")

    assert quotes(days=days) == [("AIR", 3, None, None), ("ROAD", 4, None, None)]


def test_a_refused_service_does_not_hide_the_price_of_the_other() -> None:
    assert quotes(refused("AIR")) == [("ROAD", 4, 1, 3)]
    with pytest.raises(Rejected, match="no AIR"):
        quotes(refused("AIR", "ROAD"))


def test_another_failure_of_a_price_is_an_error() -> None:
    def ask(_: str) -> RateQuote:
        raise Unknown("no answer")

    with pytest.raises(Unknown):
        quotes(ask)


def test_calls_are_made_together_and_the_first_failure_is_raised() -> None:
    together = threading.Barrier(2, timeout=10)

    def wait(number: int) -> int:
        together.wait()
        return number

    account = CourierAccountFactory()
    calls = [lambda: wait(1), lambda: wait(2)]
    assert ask_together(account, "serviceability", lambda: None, calls) == [1, 2]

    def fail() -> int:
        raise Unknown("HTTP 504")

    with pytest.raises(Unknown):
        ask_together(account, "serviceability", lambda: None, [lambda: 1, fail])
