"""Couriers that give quotes: in memory, or by HTTP from a real server that takes its time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.contract.reading import Answer
from couriers.contract.registry import CourierFactory
from couriers.contract.statuses import StatusMapper
from couriers.contract.types import RateQuote, RateRequest, Serviceability
from couriers.http.adapter import HttpAdapter
from couriers.http.operations import Operation
from couriers.models import Company, CourierAccount
from tests.support.factories import CourierAccountFactory, CourierRowFactory
from tests.support.small_courier import PLENTY, Reply, Request, SmallClient, SmallCourier


def quote(service: str, total: str, days: int | None = None, **more: Any) -> RateQuote:
    """Return a quote of a total in rupees, whose parcel is delivered after so many days."""
    amount = Decimal(total)
    return RateQuote(service, amount, {"freight": amount}, min_days=days, max_days=days, **more)


@contextmanager
def courier(
    company: Company,
    code: str,
    answer: Callable[[RateRequest], Sequence[RateQuote]],
    **declared: Any,
) -> Iterator[CourierAccount]:
    """Register a courier that answers by the function, and give the company an account with it."""
    members = {
        "code": code,
        "name": code.title(),
        "mapper": StatusMapper({}),
        "capabilities": frozenset({Capability.GET_RATES}),
        "get_rates": lambda self, request: answer(request),
        **declared,
    }
    CourierFactory.register(type(code, (BaseCourierAdapter,), members))
    row = CourierRowFactory(code=code, name=code.title())
    try:
        yield CourierAccountFactory(company=company, courier=row)
    finally:
        CourierFactory.unregister(code)


class Price(Answer):
    """What the server answers."""

    total: Decimal


class RatesClient(SmallClient):
    """Asks for a price."""

    operations = {"rates": Operation("POST", "/rates", PLENTY)}


@contextmanager
def http_courier(
    company: Company, code: str, seconds: Callable[[], float], status: int = 200
) -> Iterator[CourierAccount]:
    """Register a courier that is asked over HTTP, and answers after so many seconds."""

    def reply(_: Request) -> Reply:
        time.sleep(seconds())
        return Reply({"total": "80.00"}, status)

    def get_rates(self: Any, request: RateRequest) -> Sequence[RateQuote]:
        price = self.ask(Price, "rates", json={"to": request.drop_pincode})
        return [quote("STANDARD", str(price.total), 3)]

    def check_serviceability(self: Any, pincode: str, *, origin: str = "") -> Serviceability:
        self.ask(Price, "rates", json={"to": pincode})
        return Serviceability(pincode, True)

    members = {
        "code": code,
        "name": code.title(),
        "mapper": StatusMapper({}),
        "client_class": RatesClient,
        "capabilities": frozenset({Capability.GET_RATES, Capability.CHECK_SERVICEABILITY}),
        "get_rates": get_rates,
        "check_serviceability": check_serviceability,
    }
    with SmallCourier(reply) as server:
        CourierFactory.register(type(code, (HttpAdapter,), members))
        row = CourierRowFactory(code=code, name=code.title())
        try:
            yield CourierAccountFactory(company=company, courier=row, base_url=server.url)
        finally:
            CourierFactory.unregister(code)
